// espl_accumulate: a running sum that a flag starts anew; on ECP5's carry cells.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   sum = (first ? 0 : sum) + term, in cycles with enable_i.
// How        A CCU2C adds two bits: each propagates LUT4(A, B, C) = A ^ (B & !C) and
//            generates LUT2(A, B) = A, which is right since a bit that does not
//            propagate has A = B & !C. So the gate of the old sum costs nothing.
// Latency    1 cycle.  Throughput 1.
// Cost       AccBits / 2 CCU2C, AccBits flip-flops, no LUT4.
// The same   rtl/compute/espl_accumulate.sv, the portable form.

`default_nettype none
`include "espl_assert.svh"

module espl_accumulate #(
    parameter int unsigned TermBits = 17,
    localparam int unsigned AccBits = espl_pkg::AccBits
) (
    input  wire logic                       clk_i,
    input  wire logic                       enable_i,
    input  wire logic                       first_i,
    input  wire logic signed [TermBits-1:0] term_i,
    output      logic        [ AccBits-1:0] sum_o
);

  `ESPL_STATIC(accumulator_bits_are_even, AccBits == 2 * (AccBits / 2))

  logic [AccBits-1:0] term, sum;
  logic [AccBits/2:0] carry;
  assign term     = {{(AccBits - TermBits) {term_i[TermBits-1]}}, term_i};
  assign carry[0] = 1'b0;

  for (genvar k = 0; k < AccBits / 2; k++) begin : gen_pair
    CCU2C #(
        .INIT0(16'hA6AA),  // index {D, C, B, A}, D = 1
        .INIT1(16'hA6AA),
        .INJECT1_0("NO"),
        .INJECT1_1("NO")
    ) u_add (
        .CIN(carry[k]),
        .A0(term[2*k]),
        .B0(sum_o[2*k]),
        .C0(first_i),
        .D0(1'b1),
        .A1(term[2*k+1]),
        .B1(sum_o[2*k+1]),
        .C1(first_i),
        .D1(1'b1),
        .S0(sum[2*k]),
        .S1(sum[2*k+1]),
        .COUT(carry[k+1])
    );
  end

  always_ff @(posedge clk_i) begin : accumulate
    if (enable_i) sum_o <= sum;
  end

  logic unused;
  assign unused = carry[AccBits/2];

endmodule

`default_nettype wire
