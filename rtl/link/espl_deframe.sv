// espl_deframe: frames out of a serial line's bytes: COBS undone, CRC-32C checked.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   byte_valid_o is 1 for a cycle with each byte of a frame's body, index_o is its
//            place; done_o is 1 for a cycle when a frame ends, good_o with it when all was
//            well: codes, stop bits, CRC-32C, no more than 254 bytes. Whatever comes, the
//            frame after the next delimiter is received. Empty frames are none.
// Latency    1 cycle from the line's byte; a byte may come every 12 cycles.
// Cost       about 90 LUT4, 90 FF (iCE40), the CRC included.
// The same   host/frame.c

`default_nettype none

module espl_deframe (
    input  wire logic       clk_i,
    input  wire logic       rst_ni,

    input  wire logic       in_valid_i,
    input  wire logic       in_error_i,
    input  wire logic [7:0] in_data_i,

    output      logic       byte_valid_o,
    output      logic [7:0] byte_o,
    output      logic [7:0] index_o,       // of byte_o; with done_o the body's size
    output      logic       done_o,
    output      logic       good_o
);

  logic [7:0] left_q;  // bytes before the next code
  logic begun_q;       // a code has come since the delimiter
  logic bad_q, crc_good, crc_ready, clear;
  logic [31:0] unused_crc;

  logic delimiter, code;
  assign delimiter = in_data_i == '0;
  assign code      = left_q == '0;

  espl_crc32c u_crc (
      .clk_i,
      .rst_ni,
      .clear_i(clear),
      .valid_i(byte_valid_o),
      .ready_o(crc_ready),
      .data_i(byte_o),
      .unload_i(1'b0),
      .crc_o(unused_crc),
      .good_o(crc_good)
  );

  assign good_o = !bad_q && crc_good;
  assign clear  = done_o;

  always_ff @(posedge clk_i) begin : frames
    byte_valid_o <= 1'b0;
    done_o       <= 1'b0;
    if (!rst_ni) begin
      left_q  <= '0;
      begun_q <= 1'b0;
      bad_q   <= 1'b0;
      index_o <= '0;
    end else begin
      if (byte_valid_o) index_o <= index_o + 1'b1;
      if (done_o) begin
        bad_q   <= 1'b0;
        index_o <= '0;
      end
      if (in_valid_i) begin
        bad_q <= bad_q || in_error_i || index_o == '1 || !crc_ready;
        if (delimiter) begin
          done_o  <= begun_q;
          begun_q <= 1'b0;
          left_q  <= '0;
          // a lone break ends no frame
          bad_q   <= begun_q && (bad_q || in_error_i || !code || index_o == '1);
        end else begin
          begun_q      <= 1'b1;
          left_q       <= code ? in_data_i - 1'b1 : left_q - 1'b1;
          byte_valid_o <= !code || begun_q;
        end
      end
    end
    if (in_valid_i) byte_o <= code ? '0 : in_data_i;
  end

  logic unused;
  assign unused = &{1'b0, unused_crc};

endmodule

`default_nettype wire
