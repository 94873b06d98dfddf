;; Adds RGB pixels to sums over pictures, exactly. Memory: at 0 what their products of colours sum to: rr, rg, rb, gg, gb,
;; bb, four 32-bit parts each; where the caller says, the pixels, and the sums, a 32-bit number for each of their bytes.
(module
  (memory (export "memory") 1)

  (func $accumulate (param $sums i32) (param $bytes v128)
    (local $low v128) (local $high v128)
    (local.set $low (i16x8.extend_low_i8x16_u (local.get $bytes)))
    (local.set $high (i16x8.extend_high_i8x16_u (local.get $bytes)))
    (v128.store (local.get $sums)
      (i32x4.add (v128.load (local.get $sums)) (i32x4.extend_low_i16x8_u (local.get $low))))
    (v128.store offset=16 (local.get $sums)
      (i32x4.add (v128.load offset=16 (local.get $sums)) (i32x4.extend_high_i16x8_u (local.get $low))))
    (v128.store offset=32 (local.get $sums)
      (i32x4.add (v128.load offset=32 (local.get $sums)) (i32x4.extend_low_i16x8_u (local.get $high))))
    (v128.store offset=48 (local.get $sums)
      (i32x4.add (v128.load offset=48 (local.get $sums)) (i32x4.extend_high_i16x8_u (local.get $high)))))

  ;; Of 16 bytes each of two colours: products in four sums.
  (func $multiply (param $a v128) (param $b v128) (result v128)
    (i32x4.add
      (i32x4.dot_i16x8_s
        (i16x8.extend_low_i8x16_u (local.get $a))
        (i16x8.extend_low_i8x16_u (local.get $b)))
      (i32x4.dot_i16x8_s
        (i16x8.extend_high_i8x16_u (local.get $a))
        (i16x8.extend_high_i8x16_u (local.get $b)))))

  ;; The pixels from `at` to `end`, a multiple of 16 of them, at most 2^18: their products fit into 32 bits then.
  (func (export "add") (param $at i32) (param $end i32) (param $sums i32)
    (local $x v128) (local $y v128) (local $z v128)
    (local $r v128) (local $g v128) (local $b v128)
    (local $rr v128) (local $rg v128) (local $rb v128) (local $gg v128) (local $gb v128) (local $bb v128)
    (loop $sixteen
      (local.set $x (v128.load (local.get $at)))
      (local.set $y (v128.load offset=16 (local.get $at)))
      (local.set $z (v128.load offset=32 (local.get $at)))
      (call $accumulate (local.get $sums) (local.get $x))
      (call $accumulate (i32.add (local.get $sums) (i32.const 64)) (local.get $y))
      (call $accumulate (i32.add (local.get $sums) (i32.const 128)) (local.get $z))
      (local.set $r
        (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 17 20 23 26 29
          (i8x16.shuffle 0 3 6 9 12 15 18 21 24 27 30 0 0 0 0 0 (local.get $x) (local.get $y)) (local.get $z)))
      (local.set $g
        (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 18 21 24 27 30
          (i8x16.shuffle 1 4 7 10 13 16 19 22 25 28 31 0 0 0 0 0 (local.get $x) (local.get $y)) (local.get $z)))
      (local.set $b
        (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 16 19 22 25 28 31
          (i8x16.shuffle 2 5 8 11 14 17 20 23 26 29 0 0 0 0 0 0 (local.get $x) (local.get $y)) (local.get $z)))
      (local.set $rr (i32x4.add (local.get $rr) (call $multiply (local.get $r) (local.get $r))))
      (local.set $rg (i32x4.add (local.get $rg) (call $multiply (local.get $r) (local.get $g))))
      (local.set $rb (i32x4.add (local.get $rb) (call $multiply (local.get $r) (local.get $b))))
      (local.set $gg (i32x4.add (local.get $gg) (call $multiply (local.get $g) (local.get $g))))
      (local.set $gb (i32x4.add (local.get $gb) (call $multiply (local.get $g) (local.get $b))))
      (local.set $bb (i32x4.add (local.get $bb) (call $multiply (local.get $b) (local.get $b))))
      (local.set $sums (i32.add (local.get $sums) (i32.const 192)))
      (br_if $sixteen (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 48))) (local.get $end))))
    (v128.store offset=0 (i32.const 0) (local.get $rr))
    (v128.store offset=16 (i32.const 0) (local.get $rg))
    (v128.store offset=32 (i32.const 0) (local.get $rb))
    (v128.store offset=48 (i32.const 0) (local.get $gg))
    (v128.store offset=64 (i32.const 0) (local.get $gb))
    (v128.store offset=80 (i32.const 0) (local.get $bb))))
