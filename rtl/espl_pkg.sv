// Widths and word formats that more than one module must agree on.
// SPDX-License-Identifier: Apache-2.0
//
// docs/engine.md shows every format as a table; compiler/ir/plan.h holds the
// same numbers for the compiler. Change all three together.

package espl_pkg;

  // Bits of an index into n things; 1 for n = 1, so that no vector has width 0.
  function automatic int unsigned index_bits(input int unsigned n);
    index_bits = (n > 1) ? $clog2(n) : 1;
  endfunction

  // Registers on the way through the adder tree over n splits.
  function automatic int unsigned tree_stages(input int unsigned n);
    tree_stages = (n > 1) ? $clog2(n) : 1;
  endfunction

  // a * b, 5 bits by 16, as additions, two rows at a time.
  function automatic logic [20:0] product5(input logic [4:0] a, input logic [15:0] b);
    product5 = (((21'(b) & {21{a[0]}}) + ((21'(b) & {21{a[1]}}) << 1))
                + (((21'(b) & {21{a[2]}}) << 2) + ((21'(b) & {21{a[3]}}) << 3)))
               + ((21'(b) & {21{a[4]}}) << 4);
  endfunction

  localparam int unsigned AccBits = 24;    // accumulator, wraps
  localparam int unsigned AddrBits = 17;   // a word of a wide memory, or a byte within it

  // Tap: {nsel 1, right 3, left 3, rel 13 signed bytes, slot 15 words}
  localparam int unsigned SlotBits = 15;
  localparam int unsigned RelBits = 13;
  localparam int unsigned TapWordBits = SlotBits + RelBits + 3 + 3 + 1;

  // Group: {base 17, loops 5, cycles 14}
  localparam int unsigned CycleBits = 14;
  localparam int unsigned GroupWordBits = 36;

  // Block: {column masks, entry count 7, entry start 12}
  localparam int unsigned EntryStartBits = 12;
  localparam int unsigned EntryCountBits = 7;

  // Entry: {compute, second, next, shift, bias quarter 3, pattern 6, offset 17}
  localparam int unsigned EntryWordBits = 30;
  localparam int unsigned PatternBits = 6;

  // Param, full: {even half 1, even 3, dest 17, mask 16, negative 24, positive 24, shift 6,
  //               multiplier 28, bias 24, 0}
  // Param, bias: {unused, four biases of 24, 1}
  localparam int unsigned RoundBits = 24;
  localparam int unsigned MultiplierBits = 28;
  localparam int unsigned ProductBits = 24 + MultiplierBits + 1;
  localparam int unsigned ParamWordBits =
      1 + 24 + MultiplierBits + 6 + 2 * RoundBits + 16 + AddrBits + 4;
  // Halves to even: the window of `even` e is 2^(shift - EvenFine - e) wide.
  localparam int unsigned EvenFine = 13;

  // Frames on the input stream: memory identifiers.
  localparam int unsigned MemWide = 0;
  localparam int unsigned MemNarrow = 1;
  localparam int unsigned MemVector = 2;
  localparam int unsigned MemTap = 3;
  localparam int unsigned MemParam = 4;
  localparam int unsigned MemGroup = 5;
  localparam int unsigned MemBlock = 6;
  localparam int unsigned MemEntry = 7;
  localparam int unsigned MemPattern = 8;
  localparam int unsigned MemProgram = 9;
  localparam int unsigned MemTable = 10;
  localparam int unsigned MemControl = 11;

  // Stages from the issue of a cycle to its products' arrival (rtl/compute/espl_split.sv).
  localparam int unsigned StageAddress = 5;   // tap and block address meet
  localparam int unsigned StageDrain = 13;    // the drain reads its first entry
  localparam int unsigned RequantLatency = 11;

endpackage
