// espl_link_feed: frames that have been accepted, kept and sent on as beats of 8 bytes.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   while a frame comes, its bytes are written at their index; commit_i keeps it.
//            room_o says whether there is a slot for the frame that comes: while it is 0
//            nothing is written. Of the frames that are kept, the payload goes out in
//            order, and tlast with the last beat of a frame of type 5 or 7.
// Checksum   crc_o covers the beats of types 6 and 7 (program), as they left, since the last
//            such frame with bit 6 (begin) set; a reset of the engine does not touch it.
// Throughput a byte in 2 cycles, of a program in 10.
// Cost       Slots * 256 bytes of block RAM; about 95 LUT4, 135 FF (iCE40).

`default_nettype none
`include "espl_assert.svh"

module espl_link_feed #(
    parameter int unsigned Slots = 2  // a power of two, 2..8
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        restart_i,  // forget what is kept

    input  wire logic        write_i,
    input  wire logic [ 7:0] index_i,
    input  wire logic [ 7:0] data_i,
    input  wire logic        commit_i,
    output      logic        room_o,
    output      logic        busy_o,     // something is kept

    output      logic        tvalid_o,
    input  wire logic        tready_i,
    output      logic [63:0] tdata_o,
    output      logic        tlast_o,
    output      logic [31:0] crc_o
);

  localparam int unsigned SlotBits = espl_pkg::index_bits(Slots);
  `ESPL_STATIC(slots_are_a_power_of_two, Slots == 2 ** SlotBits && Slots <= 8)

  typedef enum logic [2:0] {
    Empty,    // waits for a frame
    Kind,     // the type is being read
    Length,   // the length is being read
    Fetch,    // the next byte is being read
    Take,     // it is there
    Offer     // a beat waits for the engine
  } state_e;

  state_e state_q;
  logic [SlotBits-1:0] write_q, read_q;
  logic [SlotBits:0] used_q;
  logic [7:0] at, at_q, byte_read;
  logic [4:0] beats_q;  // of the frame, to come
  logic program_q, last_q, begin_q, crc_ready, crc_take, beat_done, frame_done, unused_good;
  logic [31:0] crc;

  espl_ram #(
      .Width(8),
      .Depth(256 * Slots),
      .OutputRegister(0)
  ) u_bytes (
      .clk_i,
      .write_i(write_i && room_o),
      .write_address_i({write_q, index_i}),
      .write_data_i(data_i),
      .read_address_i({read_q, at}),
      .read_data_o(byte_read)
  );

  espl_crc32c u_crc (
      .clk_i,
      .rst_ni,
      .clear_i(state_q == Length && begin_q),
      .valid_i(crc_take),
      .ready_o(crc_ready),
      .data_i(byte_read),
      .unload_i(1'b0),
      .crc_o(crc),
      .good_o(unused_good)
  );

  assign room_o     = !used_q[SlotBits];
  assign crc_o      = ~crc;
  assign busy_o     = used_q != '0;
  assign crc_take   = state_q == Take && program_q && crc_ready;
  assign tvalid_o   = state_q == Offer;
  assign tlast_o    = last_q && beats_q == 5'd1;
  assign beat_done  = tvalid_o && tready_i;
  assign frame_done = (beat_done && beats_q == 5'd1) || (state_q == Fetch && beats_q == '0);

  always_ff @(posedge clk_i) begin : control
    if (!rst_ni || restart_i) begin
      state_q <= Empty;
      write_q <= '0;
      read_q  <= '0;
      used_q  <= '0;
    end else begin
      if (commit_i) write_q <= write_q + 1'b1;
      if (frame_done) read_q <= read_q + 1'b1;
      if (commit_i && !frame_done) used_q <= used_q + 1'b1;
      if (!commit_i && frame_done) used_q <= used_q - 1'b1;
      unique case (state_q)
        Empty:   if (used_q != '0) state_q <= Kind;
        Kind:    state_q <= Length;
        Length:  state_q <= Fetch;
        Fetch:   state_q <= frame_done ? Empty : Take;
        Take:    if (crc_ready) state_q <= (at_q[2:0] == 3'd3) ? Offer : Fetch;
        default: if (beat_done) state_q <= frame_done ? Empty : Fetch;
      endcase
    end
  end

  // a byte is there in the cycle after its address: type 0, length 3, the payload from 4 on
  always_comb begin : address
    unique case (state_q)
      Empty:   at = 8'd0;
      Kind:    at = 8'd3;
      default: at = at_q;
    endcase
  end

  always_ff @(posedge clk_i) begin : data
    if (state_q == Kind) begin
      last_q    <= byte_read[0];
      program_q <= byte_read[1];
      begin_q   <= byte_read[1] && byte_read[6];
    end
    if (state_q == Length) begin
      beats_q <= byte_read[7:3];
      at_q    <= 8'd4;
    end
    if (beat_done) beats_q <= beats_q - 1'b1;
    if (state_q == Take && crc_ready) begin
      at_q    <= at_q + 1'b1;
      tdata_o <= {byte_read, tdata_o[63:8]};
    end
  end

  logic unused;
  assign unused = unused_good;

endmodule

`default_nettype wire
