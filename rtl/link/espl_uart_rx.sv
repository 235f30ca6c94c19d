// espl_uart_rx: bytes from a serial line, 8 data bits, no parity, one stop bit.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   valid_o is 1 for one cycle with each byte; error_o is 1 with it when the stop
//            bit was missing. A start bit is a falling edge that still is low half a bit
//            later. Nobody may refuse a byte.
// Accuracy   bits are sampled in their middle, +- half a clock; the sender's clock may be
//            4 % off. Clocks need not be multiples of the baud rate.
// Cost       about 55 LUT4, 55 FF (iCE40).

`default_nettype none
`include "espl_assert.svh"

module espl_uart_rx #(
    parameter int unsigned ClockHz = 25_000_000,  // of clk_i
    parameter int unsigned Baud = 1_000_000       // bits a second, at most ClockHz / 4
) (
    input  wire logic       clk_i,
    input  wire logic       rst_ni,
    input  wire logic       rx_i,     // the pin, asynchronous
    output      logic       valid_o,
    output      logic       error_o,
    output      logic [7:0] data_o
);

  // a bit is over when the phase, a fraction of 2^20, overflows
  localparam int unsigned PhaseBits = 20;
  localparam logic [63:0] Scaled = (64'(Baud) << PhaseBits) + 64'(ClockHz) / 64'd2;
  localparam logic [PhaseBits-1:0] Step = PhaseBits'(Scaled / 64'(ClockHz));
  localparam logic [PhaseBits-1:0] Half = {1'b1, {(PhaseBits - 1) {1'b0}}};

  `ESPL_STATIC(four_clocks_a_bit, 64'(ClockHz) >= 64'd4 * 64'(Baud))

  logic [2:0] line_q;  // synchronized; [2] is one cycle older than [1]
  logic [PhaseBits-1:0] phase_q;
  logic [PhaseBits:0] phase;
  logic [3:0] bits_q;  // to come: 10 start, 9..2 data, 1 stop, 0 idle
  logic sample;

  assign phase  = {1'b0, phase_q} + {1'b0, Step};
  assign sample = phase[PhaseBits] && bits_q != '0;

  always_ff @(posedge clk_i) begin : control
    valid_o <= 1'b0;
    if (!rst_ni) begin
      line_q <= '1;
      bits_q <= '0;
    end else begin
      line_q <= {line_q[1:0], rx_i};
      if (bits_q == '0) begin
        if (line_q[2] && !line_q[1]) bits_q <= 4'd10;
      end else if (sample) begin
        bits_q <= (bits_q == 4'd10 && line_q[1]) ? '0 : bits_q - 1'b1;
        valid_o <= bits_q == 4'd1;
      end
    end
  end

  always_ff @(posedge clk_i) begin : data
    phase_q <= (bits_q == '0) ? Half + (Step >> 1) : phase[PhaseBits-1:0];
    if (sample) begin
      if (bits_q != 4'd1) data_o <= {line_q[1], data_o[7:1]};
      error_o <= !line_q[1];
    end
  end

endmodule

`default_nettype wire
