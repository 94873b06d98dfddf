;; What rows are computed by, with SIMD, in memory that the caller lays out.
;;
;; crop: one view of a square RGB picture as three planes of float32: (pixel + shift - mean) * scale, four pixels at a
;; time. At `means` lies the mean as three planes of float32, `meanPlane` bytes apart; at `picture` the picture, its pixels
;; three bytes each; at `to` the view's planes, `plane` bytes apart. Rows of other than a multiple of four pixels run over
;; into the next row, which is written later, and the last into the gap between the planes. As many bytes before and
;; behind the mean and the picture are read, and not used.
;;
;; round, widen: float32 to bfloat16 and back. drop, scale: dropout's units and gradients. All of these take eight values at
;; a time, and read and write up to seven more than they are asked for.
(module
  (memory (export "memory") 1)

  ;; Four float32, none NaN, rounded to the nearest with 8 bits of fraction, ties to even: their upper halves.
  (func $upper (param $bits v128) (result v128)
    (i32x4.shr_u
      (i32x4.add
        (i32x4.add (local.get $bits) (i32x4.splat (i32.const 0x7fff)))
        (v128.and (i32x4.shr_u (local.get $bits) (i32.const 16)) (i32x4.splat (i32.const 1))))
      (i32.const 16)))

  ;; `count` values of float32 at `from` as bfloat16 at `to`, eight at a time: up to seven more are written.
  (func (export "round") (param $from i32) (param $to i32) (param $count i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 2))))
    (loop $eight
      (v128.store (local.get $to)
        (i16x8.narrow_i32x4_u
          (call $upper (v128.load (local.get $from)))
          (call $upper (v128.load offset=16 (local.get $from)))))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $eight (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 32))) (local.get $end)))))

  ;; `count` values of bfloat16 at `from` as float32 at `to`.
  (func (export "widen") (param $from i32) (param $to i32) (param $count i32)
    (local $end i32) (local $eight v128)
    (local.set $end (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 1))))
    (loop $next
      (local.set $eight (v128.load (local.get $from)))
      (v128.store (local.get $to)
        (i32x4.shl (i32x4.extend_low_i16x8_u (local.get $eight)) (i32.const 16)))
      (v128.store offset=16 (local.get $to)
        (i32x4.shl (i32x4.extend_high_i16x8_u (local.get $eight)) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (br_if $next (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 16))) (local.get $end)))))

  ;; random.ts's mix, of four integers.
  (func $mix (param $h v128) (result v128)
    (local.set $h
      (i32x4.mul
        (v128.xor (local.get $h) (i32x4.shr_u (local.get $h) (i32.const 16)))
        (i32x4.splat (i32.const 0x85ebca6b))))
    (local.set $h
      (i32x4.mul
        (v128.xor (local.get $h) (i32x4.shr_u (local.get $h) (i32.const 13)))
        (i32x4.splat (i32.const 0xc2b2ae35))))
    (v128.xor (local.get $h) (i32x4.shr_u (local.get $h) (i32.const 16))))

  ;; `count` values at `values` times `factor`, or 0 where mix(start + unit * stride) is below `dropped`; at `mask` a byte
  ;; each: 255 where the unit was kept.
  (func (export "drop")
    (param $values i32) (param $mask i32) (param $count i32)
    (param $start i32) (param $stride i32) (param $dropped i32) (param $factor f32)
    (local $end i32) (local $keys v128) (local $step v128) (local $low v128) (local $high v128)
    (local.set $end (i32.add (local.get $mask) (local.get $count)))
    (local.set $step (i32x4.splat (i32.shl (local.get $stride) (i32.const 2))))
    (local.set $keys
      (i32x4.add (i32x4.splat (local.get $start))
        (i32x4.mul (v128.const i32x4 0 1 2 3) (i32x4.splat (local.get $stride)))))
    (loop $next
      (local.set $low (i32x4.ge_u (call $mix (local.get $keys)) (i32x4.splat (local.get $dropped))))
      (local.set $keys (i32x4.add (local.get $keys) (local.get $step)))
      (local.set $high (i32x4.ge_u (call $mix (local.get $keys)) (i32x4.splat (local.get $dropped))))
      (local.set $keys (i32x4.add (local.get $keys) (local.get $step)))
      (v128.store (local.get $values)
        (f32x4.mul (v128.load (local.get $values))
          (v128.and (f32x4.splat (local.get $factor)) (local.get $low))))
      (v128.store offset=16 (local.get $values)
        (f32x4.mul (v128.load offset=16 (local.get $values))
          (v128.and (f32x4.splat (local.get $factor)) (local.get $high))))
      (v128.store64_lane 0 (local.get $mask)
        (i8x16.narrow_i16x8_s
          (i16x8.narrow_i32x4_s (local.get $low) (local.get $high))
          (i16x8.narrow_i32x4_s (local.get $low) (local.get $high))))
      (local.set $values (i32.add (local.get $values) (i32.const 32)))
      (br_if $next (i32.lt_u (local.tee $mask (i32.add (local.get $mask) (i32.const 8))) (local.get $end)))))

  ;; `count` values at `values` times `factor`, or times 0 where the byte at `mask` is 0.
  (func (export "scale") (param $values i32) (param $mask i32) (param $count i32) (param $factor f32)
    (local $end i32) (local $kept v128)
    (local.set $end (i32.add (local.get $mask) (local.get $count)))
    (loop $next
      (local.set $kept (i16x8.extend_low_i8x16_s (v128.load64_zero (local.get $mask))))
      (v128.store (local.get $values)
        (f32x4.mul (v128.load (local.get $values))
          (v128.and (f32x4.splat (local.get $factor)) (i32x4.extend_low_i16x8_s (local.get $kept)))))
      (v128.store offset=16 (local.get $values)
        (f32x4.mul (v128.load offset=16 (local.get $values))
          (v128.and (f32x4.splat (local.get $factor)) (i32x4.extend_high_i16x8_s (local.get $kept)))))
      (local.set $values (i32.add (local.get $values) (i32.const 32)))
      (br_if $next (i32.lt_u (local.tee $mask (i32.add (local.get $mask) (i32.const 8))) (local.get $end)))))

  ;; A group of four pixels of one colour, lanes and the mean's place given; writes four values.
  (func $write (param $to i32) (param $pixels v128) (param $mean v128) (param $shift v128) (param $scale v128)
    (v128.store (local.get $to)
      (f32x4.mul
        (f32x4.sub
          (f32x4.add (f32x4.convert_i32x4_u (local.get $pixels)) (local.get $shift))
          (local.get $mean))
        (local.get $scale))))

  (func $reverse (param $x v128) (result v128)
    (i8x16.shuffle 12 13 14 15 8 9 10 11 4 5 6 7 0 1 2 3 (local.get $x) (local.get $x)))

  ;; `at`: the view's first pixel in the picture, counted row by row; when mirrored, the last of its first row.
  ;; `side`: pixels in a row of the picture; `size`: in a row of the view.
  (func (export "crop")
    (param $means i32) (param $meanPlane i32) (param $picture i32) (param $side i32)
    (param $to i32) (param $plane i32) (param $at i32) (param $size i32) (param $mirrored i32)
    (param $redShift f32) (param $greenShift f32) (param $blueShift f32)
    (param $redScale f32) (param $greenScale f32) (param $blueScale f32)
    (local $end i32) (local $rows i32) (local $pixel i32) (local $mean i32)
    (local $four v128) (local $zero v128)
    (local.set $rows (local.get $size))
    (loop $row
      (local.set $end (i32.add (local.get $to) (i32.shl (local.get $size) (i32.const 2))))
      ;; A mirrored group's first pixel in memory is its last: three to the left.
      (local.set $pixel
        (i32.add (local.get $picture)
          (i32.mul (i32.const 3)
            (i32.sub (local.get $at) (i32.mul (i32.const 3) (local.get $mirrored))))))
      (local.set $mean
        (i32.add (local.get $means)
          (i32.shl (i32.sub (local.get $at) (i32.mul (i32.const 3) (local.get $mirrored))) (i32.const 2))))
      (if (local.get $mirrored)
        (then
          (loop $group
            (local.set $four (v128.load (local.get $pixel)))
            (call $write (local.get $to)
              (i8x16.shuffle 9 16 16 16 6 16 16 16 3 16 16 16 0 16 16 16 (local.get $four) (local.get $zero))
              (call $reverse (v128.load (local.get $mean)))
              (f32x4.splat (local.get $redShift)) (f32x4.splat (local.get $redScale)))
            (call $write (i32.add (local.get $to) (local.get $plane))
              (i8x16.shuffle 10 16 16 16 7 16 16 16 4 16 16 16 1 16 16 16 (local.get $four) (local.get $zero))
              (call $reverse (v128.load (i32.add (local.get $mean) (local.get $meanPlane))))
              (f32x4.splat (local.get $greenShift)) (f32x4.splat (local.get $greenScale)))
            (call $write (i32.add (local.get $to) (i32.shl (local.get $plane) (i32.const 1)))
              (i8x16.shuffle 11 16 16 16 8 16 16 16 5 16 16 16 2 16 16 16 (local.get $four) (local.get $zero))
              (call $reverse (v128.load (i32.add (local.get $mean) (i32.shl (local.get $meanPlane) (i32.const 1)))))
              (f32x4.splat (local.get $blueShift)) (f32x4.splat (local.get $blueScale)))
            (local.set $pixel (i32.sub (local.get $pixel) (i32.const 12)))
            (local.set $mean (i32.sub (local.get $mean) (i32.const 16)))
            (br_if $group
              (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end)))))
        (else
          (loop $group
            (local.set $four (v128.load (local.get $pixel)))
            (call $write (local.get $to)
              (i8x16.shuffle 0 16 16 16 3 16 16 16 6 16 16 16 9 16 16 16 (local.get $four) (local.get $zero))
              (v128.load (local.get $mean))
              (f32x4.splat (local.get $redShift)) (f32x4.splat (local.get $redScale)))
            (call $write (i32.add (local.get $to) (local.get $plane))
              (i8x16.shuffle 1 16 16 16 4 16 16 16 7 16 16 16 10 16 16 16 (local.get $four) (local.get $zero))
              (v128.load (i32.add (local.get $mean) (local.get $meanPlane)))
              (f32x4.splat (local.get $greenShift)) (f32x4.splat (local.get $greenScale)))
            (call $write (i32.add (local.get $to) (i32.shl (local.get $plane) (i32.const 1)))
              (i8x16.shuffle 2 16 16 16 5 16 16 16 8 16 16 16 11 16 16 16 (local.get $four) (local.get $zero))
              (v128.load (i32.add (local.get $mean) (i32.shl (local.get $meanPlane) (i32.const 1))))
              (f32x4.splat (local.get $blueShift)) (f32x4.splat (local.get $blueScale)))
            (local.set $pixel (i32.add (local.get $pixel) (i32.const 12)))
            (local.set $mean (i32.add (local.get $mean) (i32.const 16)))
            (br_if $group
              (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end))))))
      (local.set $to (local.get $end))
      (local.set $at (i32.add (local.get $at) (local.get $side)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))
