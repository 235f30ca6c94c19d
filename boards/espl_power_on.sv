// espl_power_on: a reset after configuration, until the clock is steady.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   rst_no is low until locked_i has been high for 16 cycles, and again when it falls.
//            Registers start at 0 after configuration, on every family supported.
// Cost       7 FF.

`default_nettype none

module espl_power_on (
    input  wire logic clk_i,
    input  wire logic locked_i,  // not synchronous to clk_i
    output      logic rst_no
);

  logic [1:0] locked_q = '0;
  logic [4:0] count_q = '0;

  always_ff @(posedge clk_i) begin
    locked_q <= {locked_q[0], locked_i};
    if (!locked_q[1]) count_q <= '0;
    else if (!count_q[4]) count_q <= count_q + 5'd1;
  end

  assign rst_no = count_q[4];

endmodule

`default_nettype wire
