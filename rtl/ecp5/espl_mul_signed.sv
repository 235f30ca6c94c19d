// espl_mul_signed: a signed product in a MULT18X18D, registered inside it before and after.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product_o = a_i * b_i.
// Latency    2 cycles.  Throughput 1.
// Cost       1 MULT18X18D.
// The same   rtl/compute/espl_mul_signed.sv, the portable form.

`default_nettype none

module espl_mul_signed (
    input  wire logic               clk_i,
    input  wire logic signed [17:0] a_i,
    input  wire logic signed [17:0] b_i,
    output      logic signed [35:0] product_o
);

  logic [35:0] product;
  espl_mul18 u_mul (
      .clk_i,
      .a_i,
      .a_signed_i(1'b1),
      .b_i,
      .b_signed_i(1'b1),
      .product_o(product)
  );
  assign product_o = $signed(product);

endmodule

`default_nettype wire
