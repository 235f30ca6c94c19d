// espl_clock: the engine's clock from the board's by an SB_PLL40.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   as boards/generic/espl_clock.sv. The loop closes over the oscillator, which runs at
//            InputHz / Divide * Multiply; the clock is that by Post, a power of two.

`default_nettype none

module espl_clock #(
    parameter int unsigned InputHz = 12_000_000,  // of clk_i
    parameter int unsigned Divide = 1,            // divisors of the PLL, each as it counts, from 1
    parameter int unsigned Multiply = 0,          // 0: no PLL
    parameter int unsigned Post = 1,
    parameter int unsigned PllPad = 0             // 1: clk_i is the pin that a PLL of an iCE40 owns
) (
    input  wire logic clk_i,
    output      logic clk_o,
    output      logic rst_no
);

  // range of the loop filter by the comparator's frequency, as the PLL's data sheet has it
  localparam int unsigned Compare = InputHz / Divide;
  localparam int unsigned Filter = Compare < 17_000_000 ? 1 : Compare < 26_000_000 ? 2 :
      Compare < 44_000_000 ? 3 : Compare < 66_000_000 ? 4 : Compare < 101_000_000 ? 5 : 6;

  logic locked;

  if (Multiply == 0) begin : gen_direct
    assign clk_o  = clk_i;
    assign locked = 1'b1;
  end else if (PllPad != 0) begin : gen_pad
    SB_PLL40_PAD #(
        .FEEDBACK_PATH("SIMPLE"),
        .DIVR(4'(Divide - 1)),
        .DIVF(7'(Multiply - 1)),
        .DIVQ(3'($clog2(Post))),
        .FILTER_RANGE(3'(Filter))
    ) u_pll (
        .PACKAGEPIN(clk_i),
        .PLLOUTGLOBAL(clk_o),
        .LOCK(locked),
        .RESETB(1'b1),
        .BYPASS(1'b0)
    );
  end else begin : gen_core
    SB_PLL40_CORE #(
        .FEEDBACK_PATH("SIMPLE"),
        .DIVR(4'(Divide - 1)),
        .DIVF(7'(Multiply - 1)),
        .DIVQ(3'($clog2(Post))),
        .FILTER_RANGE(3'(Filter))
    ) u_pll (
        .REFERENCECLK(clk_i),
        .PLLOUTGLOBAL(clk_o),
        .LOCK(locked),
        .RESETB(1'b1),
        .BYPASS(1'b0)
    );
  end

  espl_power_on u_power_on (
      .clk_i(clk_o),
      .locked_i(locked),
      .rst_no
  );

endmodule

`default_nettype wire
