// espl_uart_tx: bytes to a serial line, 8 data bits, no parity, one stop bit.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   ready/valid; a byte is taken when both are 1. Bytes that are offered in time
//            follow each other without a pause.
// Accuracy   edges are within one clock of where they belong, the average rate is exact to
//            1 / 2^20 of the clock. Clocks need not be multiples of the baud rate.
// Cost       about 45 LUT4, 35 FF (iCE40).

`default_nettype none
`include "espl_assert.svh"

module espl_uart_tx #(
    parameter int unsigned ClockHz = 25_000_000,  // of clk_i
    parameter int unsigned Baud = 1_000_000       // bits a second, at most ClockHz / 2
) (
    input  wire logic       clk_i,
    input  wire logic       rst_ni,
    input  wire logic       valid_i,
    output      logic       ready_o,
    input  wire logic [7:0] data_i,
    output      logic       tx_o
);

  localparam int unsigned PhaseBits = 20;
  localparam logic [63:0] Scaled = (64'(Baud) << PhaseBits) + 64'(ClockHz) / 64'd2;
  localparam logic [PhaseBits-1:0] Step = PhaseBits'(Scaled / 64'(ClockHz));

  `ESPL_STATIC(two_clocks_a_bit, 64'(ClockHz) >= 64'd2 * 64'(Baud))

  logic [PhaseBits-1:0] phase_q;
  logic [PhaseBits:0] phase;
  logic [8:0] shift_q;  // what follows the bit on the line
  logic [3:0] bits_q;   // on the line and to come; 0: idle
  logic tick;

  assign phase   = {1'b0, phase_q} + {1'b0, Step};
  assign tick    = phase[PhaseBits];
  assign ready_o = bits_q == '0 || (bits_q == 4'd1 && tick);

  always_ff @(posedge clk_i) begin : control
    if (!rst_ni) begin
      tx_o   <= 1'b1;
      bits_q <= '0;
    end else if (ready_o) begin
      tx_o   <= !valid_i;  // the start bit
      bits_q <= valid_i ? 4'd10 : '0;
    end else if (tick) begin
      tx_o   <= shift_q[0];
      bits_q <= bits_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin : data
    phase_q <= (bits_q == '0) ? '0 : phase[PhaseBits-1:0];
    if (ready_o) shift_q <= {1'b1, data_i};
    else if (tick) shift_q <= {1'b1, shift_q[8:1]};
  end

endmodule

`default_nettype wire
