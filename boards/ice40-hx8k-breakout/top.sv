// top: an Espalier engine on the iCE40-HX8K breakout board.
// SPDX-License-Identifier: Apache-2.0

`default_nettype none

module top #(
    parameter int unsigned InputHz = 12_000_000,  // the oscillator; espalier build sets them all
    parameter int unsigned ClockHz = 12_000_000,  // of the engine
    parameter int unsigned Baud = 1_000_000,
    parameter int unsigned Divide = 1,
    parameter int unsigned Multiply = 0,
    parameter int unsigned Post = 1
) (
    input  wire logic       clk_i,
    input  wire logic       uart_rx_i,
    output      logic       uart_tx_o,
    output      logic [7:0] led_o
);

  logic running;

  assign led_o = {6'b0, !uart_rx_i, running};  // configured; bytes come in

  espl_board #(
      .InputHz(InputHz),
      .ClockHz(ClockHz),
      .Baud(Baud),
      .Divide(Divide),
      .Multiply(Multiply),
      .Post(Post)
  ) u_board (
      .clk_i,
      .uart_rx_i,
      .uart_tx_o,
      .running_o(running)
  );

endmodule

`default_nettype wire
