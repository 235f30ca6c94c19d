// espl_clock: the engine's clock from the board's by an EHXPLLL.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   as boards/generic/espl_clock.sv. The loop closes over the output: the clock is
//            InputHz / Divide * Multiply, the oscillator runs at Post times that.

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

  logic locked;

  if (Multiply == 0) begin : gen_direct
    assign clk_o  = clk_i;
    assign locked = 1'b1;
  end else begin : gen_pll
    EHXPLLL #(
        .CLKI_DIV(Divide),
        .CLKFB_DIV(Multiply),
        .CLKOP_DIV(Post),
        .CLKOP_CPHASE(Post - 1),
        .CLKOP_ENABLE("ENABLED"),
        .FEEDBK_PATH("CLKOP")
    ) u_pll (
        .CLKI(clk_i),
        .CLKFB(clk_o),
        .CLKOP(clk_o),
        .LOCK(locked),
        .RST(1'b0),
        .STDBY(1'b0),
        .PHASESEL0(1'b0),
        .PHASESEL1(1'b0),
        .PHASEDIR(1'b0),
        .PHASESTEP(1'b0),
        .PHASELOADREG(1'b0),
        .PLLWAKESYNC(1'b0),
        .ENCLKOP(1'b0)
    );
  end

  espl_power_on u_power_on (
      .clk_i(clk_o),
      .locked_i(locked),
      .rst_no
  );

endmodule

`default_nettype wire
