// espl_clock: the board's clock as it is; for simulation, and where there is no PLL.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   one interface for every family (boards/ecp5, boards/ice40, boards/gowin): clk_o runs at
//            ClockHz once rst_no has risen; rst_no is synchronous to it and low for 16 cycles at
//            least after configuration or when the lock is lost.

`default_nettype none

module espl_clock #(
    parameter int unsigned InputHz = 25_000_000,  // of clk_i
    parameter int unsigned Divide = 1,            // divisors of the PLL, each as it counts, from 1
    parameter int unsigned Multiply = 0,          // 0: no PLL
    parameter int unsigned Post = 1,
    parameter int unsigned PllPad = 0             // 1: clk_i is the pin that a PLL of an iCE40 owns
) (
    input  wire logic clk_i,
    output      logic clk_o,
    output      logic rst_no
);

  // a model has no PLL: the settings tell only other families something
  logic unused;
  assign unused = &{1'b0, InputHz[0], Divide[0], Multiply[0], Post[0], PllPad[0]};

  assign clk_o = clk_i;

  espl_power_on u_power_on (
      .clk_i,
      .locked_i(1'b1),
      .rst_no
  );

endmodule

`default_nettype wire
