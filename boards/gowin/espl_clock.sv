// espl_clock: the engine's clock from the board's by an rPLL.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   as boards/generic/espl_clock.sv. The loop closes over the output: the clock is
//            InputHz / Divide * Multiply, the oscillator runs at Post times that.

`default_nettype none
`include "espl_assert.svh"

module espl_clock #(
    parameter int unsigned InputHz = 27_000_000,  // of clk_i: 27 MHz on every board here
    parameter int unsigned Divide = 1,            // divisors of the PLL, each as it counts, from 1
    parameter int unsigned Multiply = 0,          // 0: no PLL
    parameter int unsigned Post = 1,
    parameter int unsigned PllPad = 0             // 1: clk_i is the pin that a PLL of an iCE40 owns
) (
    input  wire logic clk_i,
    output      logic clk_o,
    output      logic rst_no
);

  `ESPL_STATIC(clock_is_27_mhz, InputHz == 27_000_000)  // the primitive wants it as text

  logic locked;

  if (Multiply == 0) begin : gen_direct
    assign clk_o  = clk_i;
    assign locked = 1'b1;
  end else begin : gen_pll
    rPLL #(
        .FCLKIN("27"),
        .IDIV_SEL(Divide - 1),
        .FBDIV_SEL(Multiply - 1),
        .ODIV_SEL(Post)
    ) u_pll (
        .CLKIN(clk_i),
        .CLKFB(1'b0),
        .CLKOUT(clk_o),
        .LOCK(locked),
        .RESET(1'b0),
        .RESET_P(1'b0),
        .FBDSEL(6'b0),
        .IDSEL(6'b0),
        .ODSEL(6'b0),
        .DUTYDA(4'b0),
        .PSDA(4'b0),
        .FDLY(4'b0)
    );
  end

  espl_power_on u_power_on (
      .clk_i(clk_o),
      .locked_i(locked),
      .rst_no
  );

endmodule

`default_nettype wire
