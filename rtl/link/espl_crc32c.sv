// espl_crc32c: CRC-32C (Castagnoli) of a stream of bytes, a bit a cycle.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   the reflected CRC with polynomial 0x1EDC6F41; crc_o is the register, the value
//            is its complement. After a message and its value, low byte first, good_o is 1.
// Contract   a byte is taken when valid_i and ready_o are 1. clear_i begins anew, and comes
//            only while ready_o is 1. With unload_i a byte only shifts the register out:
//            the next byte of it comes to crc_o[7:0].
// Latency    9 cycles.  Throughput a byte in 9 cycles: a serial line takes 40 or more.
// Cost       about 35 LUT4, 44 FF (iCE40).
// The same   host/crc32c.c

`default_nettype none

module espl_crc32c (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        clear_i,
    input  wire logic        valid_i,
    output      logic        ready_o,
    input  wire logic [ 7:0] data_i,
    input  wire logic        unload_i,
    output      logic [31:0] crc_o,
    output      logic        good_o
);

  localparam logic [31:0] Polynomial = 32'h82F6_3B78;
  localparam logic [31:0] Residue = 32'hB798_B438;

  logic [7:0] byte_q;
  logic [3:0] bits_q;  // of the byte, to come
  logic unload_q, feedback;

  assign ready_o  = bits_q == '0;
  assign good_o   = crc_o == Residue;
  assign feedback = !unload_q && (crc_o[0] ^ byte_q[0]);

  always_ff @(posedge clk_i) begin : register
    if (!rst_ni) begin
      bits_q <= '0;
      crc_o  <= '1;
    end else if (clear_i) begin
      crc_o <= '1;
    end else if (!ready_o) begin
      crc_o  <= {1'b0, crc_o[31:1]} ^ (Polynomial & {32{feedback}});
      bits_q <= bits_q - 1'b1;
    end else if (valid_i) begin
      bits_q <= 4'd8;
    end
  end

  always_ff @(posedge clk_i) begin : data
    if (ready_o) begin
      byte_q   <= data_i;
      unload_q <= unload_i;
    end else begin
      byte_q <= {1'b0, byte_q[7:1]};
    end
  end

endmodule

`default_nettype wire
