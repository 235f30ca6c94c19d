// espl_link_keep: the engine's packets as frames, kept until the host has them.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   a frame ends with 7 beats or with the packet. Of the frames that are kept,
//            next_o is the sequence number of the one to send next, if any: pending_o;
//            take_i moves on to the one after. confirm_i frees all before confirmed_i, and
//            with resend_i the next one is that again. Slot n mod 8 holds frame n: byte 0 is
//            {last, 0000, beats 3}, the payload begins at byte 8; reads take a cycle.
// Throughput a beat in 8 cycles.
// Cost       512 bytes of block RAM; about 130 LUT4, 35 FF (iCE40).

`default_nettype none

module espl_link_keep (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        restart_i,

    input  wire logic        tvalid_i,
    output      logic        tready_o,
    input  wire logic [63:0] tdata_i,
    input  wire logic        tlast_i,

    input  wire logic        confirm_i,
    input  wire logic        resend_i,
    input  wire logic [ 7:0] confirmed_i,

    output      logic        pending_o,
    output      logic [ 7:0] next_o,
    input  wire logic        take_i,
    input  wire logic [ 2:0] slot_i,
    input  wire logic [ 5:0] index_i,
    output      logic [ 7:0] data_o
);

  logic [7:0] head_q, tail_q;  // the frame being filled; the oldest kept
  logic [5:0] at_q;            // in the slot; 0: the first byte is written next
  logic room, writing, close_q, last_q;
  logic [7:0] freed, behind;

  assign room     = head_q - tail_q != 8'd8;
  assign writing  = tvalid_i && room && !close_q;
  assign tready_o = writing && at_q[2:0] == 3'd7;

  espl_ram #(
      .Width(8),
      .Depth(512),
      .OutputRegister(0)
  ) u_bytes (
      .clk_i,
      .write_i(writing || close_q),
      .write_address_i({head_q[2:0], close_q ? 6'd0 : at_q}),
      .write_data_i(close_q ? {last_q, 4'd0, at_q[5:3] - 3'd1} : tdata_i[8*at_q[2:0] +: 8]),
      .read_address_i({slot_i, index_i}),
      .read_data_o(data_o)
  );

  assign freed     = confirmed_i - tail_q;
  assign behind    = confirmed_i - next_o;
  assign pending_o = next_o != head_q;

  always_ff @(posedge clk_i) begin : control
    if (!rst_ni || restart_i) begin
      head_q  <= '0;
      tail_q  <= '0;
      next_o  <= '0;
      at_q    <= 6'd8;
      close_q <= 1'b0;
    end else begin
      if (writing) at_q <= at_q + 1'b1;
      close_q <= tready_o && (tlast_i || at_q == '1);
      if (close_q) begin
        at_q   <= 6'd8;
        head_q <= head_q + 1'b1;
      end
      // what was confirmed long ago is no news
      if (confirm_i && freed[7:4] == '0) begin
        tail_q <= confirmed_i;
        if (resend_i || behind[7:4] == '0) next_o <= confirmed_i;
        else if (take_i) next_o <= next_o + 1'b1;
      end else if (take_i) begin
        next_o <= next_o + 1'b1;
      end
    end
    last_q <= tlast_i;
  end

  logic unused;
  assign unused = &{1'b0, freed[3:0], behind[3:0]};

endmodule

`default_nettype wire
