// espl_mul_pair: two products by one shared factor in one registered MULT18X18D.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   as rtl/compute/espl_mul_pair.sv, cycle for cycle: product0_o = a0_i * w_i,
//            product1_o = a1_i * w_i.
// How        as there, with the operand of two bytes put together before the multiplier's
//            registers.
// Latency    3 cycles: operands, product (both inside the multiplier), split.  Throughput 1.
// Cost       1 MULT18X18D, about 13 LUT4 and 18 carry cells.
// The same   rtl/compute/espl_mul_pair.sv

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

  // stage 0: one operand of 18 bits; a negative a0 fills the gap with ones and takes one from a1
  logic       a0_negative;
  logic [7:0] a1_less;
  assign a0_negative = signed_i && a0_i[7];
  assign a1_less     = a1_i - {7'b0, a0_negative};

  logic [35:0] p;
  espl_mul18 u_mul (
      .clk_i,
      .a_i({a1_less, {2{a0_negative}}, a0_i}),
      .a_signed_i(signed_i),
      .b_i({{10{w_i[7]}}, w_i}),
      .b_signed_i(1'b1),
      .product_o(p)
  );

  // product1 mod 64: a1 times the digits of w, then their sum
  logic [5:0] digit0, digit0_q, low_q;
  logic [3:0] digit1, digit1_q;
  logic [1:0] digit2_q;
  espl_add_rows #(.Width(6)) u_digit0 (
      .a_i(a1_i[5:0]), .a_on_i(w_i[0]), .b_i({a1_i[4:0], 1'b0}), .b_on_i(w_i[1]), .sum_o(digit0));
  espl_add_rows #(.Width(4)) u_digit1 (
      .a_i(a1_i[3:0]), .a_on_i(w_i[2]), .b_i({a1_i[2:0], 1'b0}), .b_on_i(w_i[3]), .sum_o(digit1));
  always_ff @(posedge clk_i) begin : low_product
    digit0_q <= digit0;
    digit1_q <= digit1;
    digit2_q <= (w_i[4] ? a1_i[1:0] : '0) + (w_i[5] ? {a1_i[0], 1'b0} : '0);
    low_q    <= {digit0_q[5:2] + {digit1_q[3:2] + digit2_q, digit1_q[1:0]}, digit0_q[1:0]};
  end

  // P >> 10 less product1 lies in -32..31, which with product1 mod 64 says which it is
  logic signed [16:0] whole;
  assign whole = $signed(p[26:10]) - $signed({{12{!low_q[5]}}, low_q[4:0]});

  always_ff @(posedge clk_i) begin : split
    product0_o <= {{2{!whole[5]}}, whole[4:0], p[9:0]};
    product1_o <= {whole[16:6], low_q};
  end

  logic unused;
  assign unused = &{1'b0, p[35:27]};

endmodule

`default_nettype wire
