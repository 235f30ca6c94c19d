// espl_board_sim: the logic of a board's top: link and engine, UART pins outside.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   what a board's top is, without its clock and pins; sim/espl_board.cc runs it.
//            Identity is the engine's, the other parameters are those of espl_link and
//            espl_engine.

`default_nettype none

module espl_board_sim #(
    parameter int unsigned ClockHz = 4_000_000,
    parameter int unsigned Baud = 1_000_000,
    parameter int unsigned Lanes = 16,
    parameter int unsigned Splits = 16,
    parameter int unsigned Requantizers = 16,
    parameter int unsigned WideDepth = 1024,
    parameter int unsigned WideExtra = 0,
    parameter int unsigned Doubles = 0,
    parameter int unsigned NarrowDepth = 2048,
    parameter int unsigned TapDepth = 512,
    parameter int unsigned PadMax = 2,
    parameter int unsigned MaxPool = 1,
    parameter int unsigned Tables = 1,
    parameter int unsigned ParamDepth = 1024,
    parameter int unsigned GroupDepth = 1024,
    parameter int unsigned BlockDepth = 512,
    parameter int unsigned EntryDepth = 1024,
    parameter int unsigned PatternDepth = 64,
    parameter int unsigned LayerDepth = 64,
    parameter int unsigned OutputDepth = 64,
    parameter logic [31:0] Identity = 32'h0
) (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic uart_rx_i,
    output      logic uart_tx_o
);

  logic in_tvalid, in_tready, in_tlast, out_tvalid, out_tready, out_tlast, engine_rst_n;
  logic [63:0] in_tdata, out_tdata;
  logic [2:0] status_address;
  logic [31:0] status_data;

  espl_link #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) u_link (
      .clk_i,
      .rst_ni,
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

  /* verilator lint_off PINCONNECTEMPTY */
  espl_engine #(
      .Lanes(Lanes),
      .Splits(Splits),
      .Requantizers(Requantizers),
      .WideDepth(WideDepth),
      .WideExtra(WideExtra),
      .Doubles(Doubles),
      .NarrowDepth(NarrowDepth),
      .TapDepth(TapDepth),
      .PadMax(PadMax),
      .MaxPool(MaxPool),
      .Tables(Tables),
      .ParamDepth(ParamDepth),
      .GroupDepth(GroupDepth),
      .BlockDepth(BlockDepth),
      .EntryDepth(EntryDepth),
      .PatternDepth(PatternDepth),
      .LayerDepth(LayerDepth),
      .OutputDepth(OutputDepth),
      .Identity(Identity)
  ) u_engine (
      .clk_i,
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
      .status_data_o(status_data),
      .watch_layer_o(),
      .watch_wide_o(),
      .watch_output_o(),
      .watch_vector_o(),
      .watch_splits_o(),
      .watch_enable_even_o(),
      .watch_enable_odd_o(),
      .watch_even_address_o(),
      .watch_odd_address_o(),
      .watch_data_o(),
      .watch_vector_address_o(),
      .watch_vector_data_o()
  );

endmodule

`default_nettype wire
