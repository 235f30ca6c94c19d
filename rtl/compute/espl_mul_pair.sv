// espl_mul_pair: two products by one shared factor in one 18x18 multiplier.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product0_o = a0_i * w_i, product1_o = a1_i * w_i, where a0 and a1
//            are unsigned bytes, or signed ones when signed_i is 1, and w is
//            signed. Exact for all values, but for a1 = -128 with a negative
//            a0 when signed_i is 1 (the sum leaves 18 bits).
// How        P = ((a1 << 10) + a0) * w = product1 * 2^10 + product0. LUTs give product1 mod
//            64, two bits of w at a time. product0 >> 10 lies in -32..31, so product1 is
//            the one number of that residue in (P >> 10) - 31 .. (P >> 10) + 32: one
//            subtraction gives the high bits of both.
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

  // stage 0: one operand, of 18 bits and a sign for when signed_i is 0
  logic a0_negative, a1_negative;
  assign a0_negative = signed_i && a0_i[7];
  assign a1_negative = signed_i && a1_i[7];

  // a negative a0 fills the gap with ones and takes one from a1
  logic signed [8:0] high;
  assign high = $signed({a1_negative, a1_i}) - $signed({8'b0, a0_negative});

  logic signed [18:0] a_q;
  logic signed [ 7:0] w_q;
  logic signed [26:0] p_q;
  always_ff @(posedge clk_i) begin : multiply
    a_q <= {high, {2{a0_negative}}, a0_i};
    w_q <= w_i;
    p_q <= a_q * w_q;
  end

  // product1 mod 64: a1 times the digits of w, then their sum
  logic [5:0] digit0_q, low_q;
  logic [3:0] digit1_q;
  logic [1:0] digit2_q;
  always_ff @(posedge clk_i) begin : low_product
    digit0_q <= (w_i[0] ? a1_i[5:0] : '0) + (w_i[1] ? {a1_i[4:0], 1'b0} : '0);
    digit1_q <= (w_i[2] ? a1_i[3:0] : '0) + (w_i[3] ? {a1_i[2:0], 1'b0} : '0);
    digit2_q <= (w_i[4] ? a1_i[1:0] : '0) + (w_i[5] ? {a1_i[0], 1'b0} : '0);
    low_q    <= digit0_q + {digit1_q + {digit2_q, 2'b0}, 2'b0};
  end

  // P >> 10 less product1, from -32 on: its six low bits are product0's, its high ones product1's
  logic signed [16:0] whole;
  assign whole = $signed(p_q[26:10]) - $signed({{12{!low_q[5]}}, low_q[4:0]});

  always_ff @(posedge clk_i) begin : split
    product0_o <= {{2{!whole[5]}}, whole[4:0], p_q[9:0]};
    product1_o <= {whole[16:6], low_q};
  end

endmodule

`default_nettype wire
