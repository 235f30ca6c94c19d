// espl_carry_end: a CCU2C whose carry out nobody reads.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   for Yosys' techmap alone, behind synthesis (compiler/flow/family.c): nextpnr spends a
//            cell on each carry that leaves a chain unless the port is open.

`default_nettype none

module espl_carry_end #(
    parameter INIT0 = 16'h0000,
    parameter INIT1 = 16'h0000,
    parameter INJECT1_0 = "YES",
    parameter INJECT1_1 = "YES"
) (
    input  wire CIN,
    input  wire A0,
    input  wire B0,
    input  wire C0,
    input  wire D0,
    input  wire A1,
    input  wire B1,
    input  wire C1,
    input  wire D1,
    output wire S0,
    output wire S1,
    output wire COUT
);

  CCU2C #(
      .INIT0(INIT0),
      .INIT1(INIT1),
      .INJECT1_0(INJECT1_0),
      .INJECT1_1(INJECT1_1)
  ) _TECHMAP_REPLACE_ (
      .CIN(CIN), .A0(A0), .B0(B0), .C0(C0), .D0(D0), .A1(A1), .B1(B1), .C1(C1), .D1(D1),
      .S0(S0), .S1(S1), .COUT(1'bx));

endmodule

`default_nettype wire
