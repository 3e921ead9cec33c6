;; What plain-rows.ts does, with the processor's own instructions for it. 'npm run generate' makes rows.wasm of this file;
;; wasm-rows.ts knows where everything lies.
(module
  ;; 0 to 31: the sketch that is looked for. 64 to 1091: how many rows differ from it in 0, 1, … 256 bits, 32 bits each. The rest is
  ;; the caller's.
  (memory (export "memory") 1)

  ;; Compares the sketches from $sketch to $end, 32 bytes each. In how many bits each differs goes to $distance on, 16 bits each.
  (func (export "measure") (param $sketch i32) (param $end i32) (param $distance i32)
    (local $q0 i64) (local $q1 i64) (local $q2 i64) (local $q3 i64) (local $bits i32) (local $counter i32)
    (local.set $q0 (i64.load (i32.const 0)))
    (local.set $q1 (i64.load (i32.const 8)))
    (local.set $q2 (i64.load (i32.const 16)))
    (local.set $q3 (i64.load (i32.const 24)))
    (loop $next
      (local.set $bits
        (i32.wrap_i64
          (i64.add
            (i64.add
              (i64.popcnt (i64.xor (i64.load (local.get $sketch)) (local.get $q0)))
              (i64.popcnt (i64.xor (i64.load offset=8 (local.get $sketch)) (local.get $q1))))
            (i64.add
              (i64.popcnt (i64.xor (i64.load offset=16 (local.get $sketch)) (local.get $q2)))
              (i64.popcnt (i64.xor (i64.load offset=24 (local.get $sketch)) (local.get $q3)))))))
      (i32.store16 (local.get $distance) (local.get $bits))
      (local.set $counter (i32.shl (local.get $bits) (i32.const 2)))
      (i32.store offset=64 (local.get $counter) (i32.add (i32.load offset=64 (local.get $counter)) (i32.const 1)))
      (local.set $distance (i32.add (local.get $distance) (i32.const 2)))
      (local.set $sketch (i32.add (local.get $sketch) (i32.const 32)))
      (br_if $next (i32.lt_u (local.get $sketch) (local.get $end)))))

  ;; The dot product of the bytes from $codes to $end, a multiple of 16, with as many numbers of 16 bits from $query on.
  (func (export "dot") (param $codes i32) (param $end i32) (param $query i32) (result i32)
    (local $sixteen v128) (local $sums v128)
    (loop $next
      (local.set $sixteen (v128.load (local.get $codes)))
      (local.set $sums
        (i32x4.add
          (local.get $sums)
          (i32x4.add
            (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $sixteen)) (v128.load (local.get $query)))
            (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $sixteen)) (v128.load offset=16 (local.get $query))))))
      (local.set $query (i32.add (local.get $query) (i32.const 32)))
      (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $codes) (local.get $end))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
      (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums))))))
