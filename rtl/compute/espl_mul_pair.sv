// espl_mul_pair: two products by one shared factor in one 18x18 multiplier.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product0_o = a0_i * w_i, product1_o = a1_i * w_i, where a0 and a1
//            are unsigned bytes, or signed ones when signed_i is 1, and w is
//            signed. Exact for all values, but for a1 = -128 with a negative
//            a0 when signed_i is 1 (the sum leaves 18 bits).
// How        P = ((a1 << 10) + a0) * w. The low ten bits are a0 * w's; bits
//            15:10 are (a0 * w)[15:10] + (a1 * w)[5:0] mod 64, so a product of
//            6 by 6 bits mod 64 in LUTs gives a0 * w, and the rest a1 * w.
// Latency    3 cycles.  Throughput 1.
// Cost       1 MULT18X18D, about 40 LUT4.
// The same   portable form; rtl/ecp5/espl_mul_pair.sv instantiates the multiplier.

`default_nettype none

module espl_mul_pair (
    input  wire logic               clk_i,
    input  wire logic               signed_i,
    input  wire logic        [ 7:0] a0_i,
    input  wire logic        [ 7:0] a1_i,
    input  wire logic signed [ 7:0] w_i,
    output      logic signed [16:0] product0_o,
    output      logic signed [16:0] product1_o
);

  logic signed [18:0] a_q;         // 18 bits, and a sign when signed_i is 0
  logic signed [ 7:0] w_q;
  logic signed [26:0] p_q;
  logic        [ 5:0] low_q;       // (a1 * w) mod 64
  logic        [ 5:0] a1_low_q;
  logic               a0_negative, a1_negative;

  assign a0_negative = signed_i && a0_i[7];
  assign a1_negative = signed_i && a1_i[7];

  // (a1 << 10) + a0: a negative a0 fills the gap with ones and takes one from a1
  logic signed [8:0] high;
  assign high = $signed({a1_negative, a1_i}) - $signed({8'b0, a0_negative});

  // The low product: bits 9:0 as they are, 15:10 corrected, then its sign.
  logic        [ 5:0] middle;
  logic signed [16:0] product0;
  logic signed [16:0] product1;
  assign middle = p_q[15:10] - low_q;
  // a0 * w lies in -32640..32512, or in -16256..16384 when signed: 16 bits hold both.
  assign product0 = {middle[5], middle, p_q[9:0]};
  assign product1 = p_q[26:10] - {{10{product0[16]}}, product0[16:10]};

  always_ff @(posedge clk_i) begin : pipeline
    a_q        <= {high, {2{a0_negative}}, a0_i};
    a1_low_q   <= a1_i[5:0];
    w_q        <= w_i;
    p_q        <= a_q * w_q;
    low_q      <= espl_pkg::product6(a1_low_q, w_q[5:0]);
    product0_o <= product0;
    product1_o <= product1;
  end

endmodule

`default_nettype wire
