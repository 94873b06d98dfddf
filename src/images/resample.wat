;; Scales pixels to a square of `size` by separable filters, eight products an instruction. The caller lays out the memory:
;; pixels (rows, stride) as interleaved 8-bit RGB; per output 32-bit "first" positions, and `pairs` pairs of 16-bit
;; weights of scale 2^14. Reads may pass an end by less than a row, where weights are 0.
(module
  (memory (export "memory") 1)

  ;; Columns: each row of pixels becomes `size` interleaved 16-bit pixels of scale 2^6.
  (func (export "narrow")
    (param $pixels i32) (param $rows i32) (param $stride i32)
    (param $firsts i32) (param $weights i32) (param $pairs i32) (param $size i32) (param $out i32)
    (local $x i32) (local $pair i32) (local $from i32) (local $weight i32) (local $sums v128)
    (loop $row
      (local.set $x (i32.const 0))
      (local.set $weight (local.get $weights))
      (loop $column
        (local.set $from
          (i32.add (local.get $pixels)
            (i32.load (i32.add (local.get $firsts) (i32.shl (local.get $x) (i32.const 2))))))
        (local.set $sums (v128.const i32x4 128 128 128 0)) ;; half of what the shift below drops
        (local.set $pair (local.get $pairs))
        (loop $taps
          ;; Two pixels r g b r g b become r r g g b b, so that one product sums both for each colour.
          (local.set $sums
            (i32x4.add (local.get $sums)
              (i32x4.dot_i16x8_s
                (i8x16.shuffle 0 16 3 16 1 16 4 16 2 16 5 16 16 16 16 16
                  (v128.load64_zero (local.get $from))
                  (v128.const i64x2 0 0))
                (v128.load32_splat (local.get $weight)))))
          (local.set $from (i32.add (local.get $from) (i32.const 6)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
          (br_if $taps (local.tee $pair (i32.sub (local.get $pair) (i32.const 1)))))
        (local.set $sums (i32x4.shr_s (local.get $sums) (i32.const 8)))
        ;; The fourth number is overwritten by the next pixel.
        (v128.store64_lane 0 (local.get $out) (i16x8.narrow_i32x4_s (local.get $sums) (local.get $sums)))
        (local.set $out (i32.add (local.get $out) (i32.const 6)))
        (local.set $x (i32.add (local.get $x) (i32.const 1)))
        (br_if $column (i32.lt_u (local.get $x) (local.get $size))))
      (local.set $pixels (i32.add (local.get $pixels) (local.get $stride)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Rows: what `narrow` wrote becomes the picture. Eight bytes are written at once: a row may run over into the
  ;; next one, which is written later, and the last by less than eight bytes.
  (func (export "shorten")
    (param $lines i32) (param $firsts i32) (param $weights i32) (param $pairs i32) (param $size i32) (param $out i32)
    (local $line i32) (local $to i32) (local $y i32) (local $i i32) (local $pair i32) (local $from i32) (local $weight i32)
    (local $upper v128) (local $lower v128) (local $low v128) (local $high v128)
    (local.set $line (i32.mul (local.get $size) (i32.const 6))) ;; bytes from one narrowed row to the next
    (loop $row
      (local.set $to (local.get $out))
      (local.set $i (i32.const 0))
      (loop $eight
        (local.set $from
          (i32.add (i32.add (local.get $lines) (local.get $i))
            (i32.load (i32.add (local.get $firsts) (i32.shl (local.get $y) (i32.const 2))))))
        (local.set $low (v128.const i32x4 524288 524288 524288 524288)) ;; half of what the shift below drops
        (local.set $high (local.get $low))
        (local.set $pair (local.get $pairs))
        (local.set $weight (local.get $weights))
        (loop $taps
          (local.set $upper (v128.load (local.get $from)))
          (local.set $lower (v128.load (i32.add (local.get $from) (local.get $line))))
          (local.set $low
            (i32x4.add (local.get $low)
              (i32x4.dot_i16x8_s
                (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $upper) (local.get $lower))
                (v128.load32_splat (local.get $weight)))))
          (local.set $high
            (i32x4.add (local.get $high)
              (i32x4.dot_i16x8_s
                (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $upper) (local.get $lower))
                (v128.load32_splat (local.get $weight)))))
          (local.set $from (i32.add (local.get $from) (i32.shl (local.get $line) (i32.const 1))))
          (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
          (br_if $taps (local.tee $pair (i32.sub (local.get $pair) (i32.const 1)))))
        (local.set $low
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $low) (i32.const 20))
            (i32x4.shr_s (local.get $high) (i32.const 20))))
        (v128.store64_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $low) (local.get $low)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (local.set $i (i32.add (local.get $i) (i32.const 16)))
        (br_if $eight (i32.lt_u (local.get $i) (local.get $line))))
      (local.set $out (i32.add (local.get $out) (i32.mul (local.get $size) (i32.const 3))))
      (local.set $weights (i32.add (local.get $weights) (i32.shl (local.get $pairs) (i32.const 2))))
      (local.set $y (i32.add (local.get $y) (i32.const 1)))
      (br_if $row (i32.lt_u (local.get $y) (local.get $size))))))
