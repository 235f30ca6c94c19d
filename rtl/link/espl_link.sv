// espl_link: a serial line to the host on one side, the engine's streams on the other.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   docs/protocol.md. What went wrong on the line never reaches the engine, and
//            nothing reaches it twice. engine_rst_no resets the engine whenever a session
//            begins, and with rst_ni. The checksum of the program covers the beats as they
//            left for the engine.
// Cost       one UP5K: see docs/protocol.md; three block RAMs of 512 bytes at most.

`default_nettype none
`include "espl_assert.svh"

module espl_link #(
    parameter int unsigned ClockHz = 25_000_000,  // of clk_i
    parameter int unsigned Baud = 1_000_000       // bits a second, at most ClockHz / 4
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,

    input  wire logic        uart_rx_i,
    output      logic        uart_tx_o,

    output      logic        in_tvalid_o,
    input  wire logic        in_tready_i,
    output      logic [63:0] in_tdata_o,
    output      logic        in_tlast_o,

    input  wire logic        out_tvalid_i,
    output      logic        out_tready_o,
    input  wire logic [63:0] out_tdata_i,
    input  wire logic        out_tlast_i,

    output      logic [ 2:0] status_address_o,
    input  wire logic [31:0] status_data_i,
    output      logic        engine_rst_no
);

  // -- from the host -------------------------------------------------------------------------------
  logic line_valid, line_error;
  logic [7:0] line_data;
  espl_uart_rx #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) u_uart_rx (
      .clk_i,
      .rst_ni,
      .rx_i(uart_rx_i),
      .valid_o(line_valid),
      .error_o(line_error),
      .data_o(line_data)
  );

  logic byte_valid, done, good;
  logic [7:0] body_byte, index;
  espl_deframe u_deframe (
      .clk_i,
      .rst_ni,
      .in_valid_i(line_valid),
      .in_error_i(line_error),
      .in_data_i(line_data),
      .byte_valid_o(byte_valid),
      .byte_o(body_byte),
      .index_o(index),
      .done_o(done),
      .good_o(good)
  );

  logic room, commit, restart, answer, info, confirm, resend, open, gap, full;
  logic [7:0] confirmed, tag, session, expected;
  logic [1:0] attempt;
  logic [15:0] bad_frames;
  espl_link_receive u_receive (
      .clk_i,
      .rst_ni,
      .byte_valid_i(byte_valid),
      .byte_i(body_byte),
      .index_i(index),
      .done_i(done),
      .good_i(good),
      .room_i(room),
      .commit_o(commit),
      .restart_o(restart),
      .answer_o(answer),
      .info_o(info),
      .confirm_o(confirm),
      .resend_o(resend),
      .confirmed_o(confirmed),
      .tag_o(tag),
      .session_o(session),
      .expected_o(expected),
      .attempt_o(attempt),
      .open_o(open),
      .gap_o(gap),
      .full_o(full),
      .bad_frames_o(bad_frames)
  );

  logic [31:0] program_crc;
  logic busy;
  espl_link_feed u_feed (
      .clk_i,
      .rst_ni,
      .restart_i(restart),
      .write_i(byte_valid),
      .index_i(index),
      .data_i(body_byte),
      .commit_i(commit),
      .room_o(room),
      .busy_o(busy),
      .tvalid_o(in_tvalid_o),
      .tready_i(in_tready_i),
      .tdata_o(in_tdata_o),
      .tlast_o(in_tlast_o),
      .crc_o(program_crc)
  );

  // -- to the host -----------------------------------------------------------------------------------
  logic pending, take;
  logic [7:0] next, kept_byte;
  logic [2:0] slot;
  logic [5:0] kept_index;
  espl_link_keep u_keep (
      .clk_i,
      .rst_ni,
      .restart_i(restart),
      .tvalid_i(out_tvalid_i && engine_rst_no),
      .tready_o(out_tready_o),
      .tdata_i(out_tdata_i),
      .tlast_i(out_tlast_i),
      .confirm_i(confirm),
      .resend_i(resend),
      .confirmed_i(confirmed),
      .pending_o(pending),
      .next_o(next),
      .take_i(take),
      .slot_i(slot),
      .index_i(kept_index),
      .data_o(kept_byte)
  );

  logic send_valid, send_ready;
  logic [7:0] send_data;
  espl_link_send #(
      .ClockHz(ClockHz)
  ) u_send (
      .clk_i,
      .rst_ni,
      .info_i(info),
      .answer_i(answer),
      .pending_i(pending),
      .next_i(next),
      .take_o(take),
      .slot_o(slot),
      .index_o(kept_index),
      .data_i(kept_byte),
      .flags_i({open, full, gap, attempt}),
      .expected_i(expected),
      .tag_i(tag),
      .session_i(session),
      .busy_i(busy),
      .bad_frames_i(bad_frames),
      .program_crc_i(program_crc),
      .status_address_o,
      .status_data_i,
      .valid_o(send_valid),
      .ready_i(send_ready),
      .data_o(send_data)
  );

  espl_uart_tx #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) u_uart_tx (
      .clk_i,
      .rst_ni,
      .valid_i(send_valid),
      .ready_o(send_ready),
      .data_i(send_data),
      .tx_o(uart_tx_o)
  );

  // -- the engine's reset: 16 cycles -----------------------------------------------------------------
  logic [4:0] reset_q;
  assign engine_rst_no = reset_q[4];
  always_ff @(posedge clk_i) begin : engine_reset
    if (!rst_ni || restart) reset_q <= '0;
    else if (!reset_q[4]) reset_q <= reset_q + 1'b1;
  end

endmodule

`default_nettype wire
