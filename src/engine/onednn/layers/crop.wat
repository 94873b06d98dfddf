;; One view of a square RGB picture as three planes of float32: (pixel + shift - mean) * scale, four pixels at a time.
;; The caller lays out the memory: at `means` the mean as three planes of float32, `meanPlane` bytes apart; at `picture` the
;; picture, its pixels three bytes each; at `to` the view's planes, `plane` bytes apart. Rows of other than a multiple of
;; four pixels run over into the next row, which is written later, and the last into the gap between the planes. As many
;; bytes before and behind the mean and the picture are read, and not used.
(module
  (memory (export "memory") 1)

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
