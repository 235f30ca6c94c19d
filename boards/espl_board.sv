// espl_board: clock, reset, link and engine: what every board's top holds.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   the parameters are the board's own; `espalier build` sets them from board.json.

`default_nettype none

module espl_board #(
    parameter int unsigned InputHz = 25_000_000,  // of clk_i
    parameter int unsigned ClockHz = 25_000_000,  // of the engine
    parameter int unsigned Baud = 1_000_000,
    parameter int unsigned Divide = 1,            // of the PLL: see espl_clock
    parameter int unsigned Multiply = 0,
    parameter int unsigned Post = 1,
    parameter int unsigned PllPad = 0
) (
    input  wire logic clk_i,
    input  wire logic uart_rx_i,
    output      logic uart_tx_o,
    output      logic running_o   // the clock is steady and the reset over
);

  logic clk, rst_n, engine_rst_n;
  logic in_tvalid, in_tready, in_tlast, out_tvalid, out_tready, out_tlast;
  logic [63:0] in_tdata, out_tdata;
  logic [2:0] status_address;
  logic [31:0] status_data;

  assign running_o = rst_n;

  espl_clock #(
      .InputHz(InputHz),
      .Divide(Divide),
      .Multiply(Multiply),
      .Post(Post),
      .PllPad(PllPad)
  ) u_clock (
      .clk_i,
      .clk_o(clk),
      .rst_no(rst_n)
  );

  espl_link #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) u_link (
      .clk_i(clk),
      .rst_ni(rst_n),
      .uart_rx_i,
      .uart_tx_o,
      .in_tvalid_o(in_tvalid),
      .in_tready_i(in_tready),
      .in_tdata_o(in_tdata),
      .in_tlast_o(in_tlast),
      .out_tvalid_i(out_tvalid),
      .out_tready_o(out_tready),
      .out_tdata_i(out_tdata),
      .out_tlast_i(out_tlast),
      .status_address_o(status_address),
      .status_data_i(status_data),
      .engine_rst_no(engine_rst_n)
  );

  espl_top u_top (
      .clk_i(clk),
      .rst_ni(engine_rst_n),
      .in_tvalid_i(in_tvalid),
      .in_tready_o(in_tready),
      .in_tdata_i(in_tdata),
      .in_tlast_i(in_tlast),
      .out_tvalid_o(out_tvalid),
      .out_tready_i(out_tready),
      .out_tdata_o(out_tdata),
      .out_tlast_o(out_tlast),
      .status_address_i(status_address),
      .status_data_o(status_data)
  );

endmodule

`default_nettype wire
