// espl_mul_signed: a signed product, registered before and after.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   product_o = a_i * b_i.
// Latency    2 cycles.  Throughput 1.
// Cost       1 MULT18X18D; rtl/ecp5/espl_mul_signed.sv has both registers inside it.

`default_nettype none

module espl_mul_signed (
    input  wire logic               clk_i,
    input  wire logic signed [17:0] a_i,
    input  wire logic signed [17:0] b_i,
    output      logic signed [35:0] product_o
);

  logic signed [17:0] a_q, b_q;
  always_ff @(posedge clk_i) begin : multiply
    a_q       <= a_i;
    b_q       <= b_i;
    product_o <= a_q * b_q;
  end

endmodule

`default_nettype wire
