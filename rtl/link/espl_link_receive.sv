// espl_link_receive: judges the host's frames: what is accepted, what is answered.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   docs/protocol.md. Takes the bytes of bodies from espl_deframe; commit_o tells
//            espl_link_feed to keep the frame that just ended: each sequence number once,
//            in order. answer_o and info_o are pulses: an answer of that kind is due.
// Latency    1 cycle from done_i.
// Cost       about 95 LUT4, 90 FF (iCE40).

`default_nettype none

module espl_link_receive (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,

    input  wire logic        byte_valid_i,
    input  wire logic [ 7:0] byte_i,
    input  wire logic [ 7:0] index_i,
    input  wire logic        done_i,
    input  wire logic        good_i,

    input  wire logic        room_i,         // there is a slot for the frame that comes
    output      logic        commit_o,

    output      logic        restart_o,      // pulse: a session begins
    output      logic        answer_o,
    output      logic        info_o,
    output      logic        confirm_o,      // pulse: the host has all before confirmed_o
    output      logic        resend_o,       // with confirm_o: send again from there
    output      logic [ 7:0] confirmed_o,

    output      logic [ 7:0] tag_o,          // of the last OPEN or QUERY
    output      logic [ 7:0] session_o,
    output      logic [ 7:0] expected_o,     // sequence number of the next frame to accept
    output      logic [ 1:0] attempt_o,      // of the last good frame
    output      logic        open_o,         // a session exists
    output      logic        gap_o,          // a frame was lost since the last accepted one
    output      logic        full_o,         // ... since there was no room, and there is none
    output      logic [15:0] bad_frames_o
);

  localparam logic [2:0] Open = 3'd0;
  localparam logic [2:0] Query = 3'd1;
  localparam logic [2:0] Confirm = 3'd3;

  logic [7:0] flags_q, sequence_q, length_q;
  logic [7:0] distance;
  logic stored_q, fits, good, is_data, is_open, is_query, accept;

  always_ff @(posedge clk_i) begin : header
    if (byte_valid_i) begin
      if (index_i == 8'd0) flags_q <= byte_i;
      if (index_i == 8'd1) sequence_q <= byte_i;
      if (index_i == 8'd2) confirmed_o <= byte_i;
      if (index_i == 8'd3) length_q <= byte_i;
      if (index_i == 8'd0) stored_q <= room_i;
    end
  end

  // header 4, CRC 4; whole beats, 30 at most
  assign fits     = index_i == length_q + 8'd8 && length_q[2:0] == '0 && length_q[7:3] <= 5'd30;
  assign good     = done_i && good_i && fits;
  assign is_open  = flags_q[2:0] == Open;
  assign is_query = flags_q[2:0] == Query;
  assign is_data  = flags_q[2];
  assign distance = sequence_q - expected_o;
  assign accept   = is_data && open_o && distance == '0;

  assign commit_o  = good && accept && stored_q;
  assign restart_o = good && is_open && !(open_o && sequence_q == session_o);
  assign confirm_o = good && open_o && !is_open && !is_query;
  assign resend_o  = flags_q[5];
  assign info_o    = good && (is_open || is_query);

  // an answer is due to each other frame, good or bad, and when there is room again
  assign answer_o  = (done_i && !info_o && !(good && flags_q[2:0] == Confirm)) ||
                     (full_o && room_i && !done_i);

  always_ff @(posedge clk_i) begin : state
    if (!rst_ni) begin
      open_o       <= 1'b0;
      gap_o        <= 1'b0;
      full_o       <= 1'b0;
      expected_o   <= '0;
      bad_frames_o <= '0;
    end else if (restart_o) begin
      open_o       <= 1'b1;
      gap_o        <= 1'b0;
      full_o       <= 1'b0;
      expected_o   <= '0;
    end else if (commit_o) begin
      gap_o        <= 1'b0;
      full_o       <= 1'b0;
      expected_o   <= expected_o + 1'b1;
    end else begin
      // lost: a bad frame, one that comes too early, one without room
      if (done_i && (!good || (is_data && !distance[7]))) gap_o <= 1'b1;
      if (good && accept) full_o <= 1'b1;
      else if (room_i) full_o <= 1'b0;
      if (done_i && !good) bad_frames_o <= bad_frames_o + 1'b1;
    end
    if (good) attempt_o <= flags_q[4:3];
    if (restart_o) session_o <= sequence_q;
    if (info_o) tag_o <= sequence_q;
  end

  logic unused;
  assign unused = &{1'b0, flags_q[7:6]};

endmodule

`default_nettype wire
