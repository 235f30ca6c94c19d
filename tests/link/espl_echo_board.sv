// espl_echo_board: the link with an engine that gives back what it gets, at times.
// SPDX-License-Identifier: Apache-2.0
//
// Contract   every packet comes back as it went in, but for those of a program: a first beat
//            of ones; those are taken at once. A generator decides cycle by cycle whether the engine takes and gives;
//            now and then it rests for 50 000 cycles. Status n reads back as 0xE0 + n, and 5
//            counts packets.

`default_nettype none

module espl_echo_board #(
    parameter int unsigned ClockHz = 4_000_000,
    parameter int unsigned Baud = 1_000_000
) (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic uart_rx_i,
    output      logic uart_tx_o
);

  localparam int unsigned Depth = 64;
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

  logic [64:0] words[0:Depth-1];
  logic [6:0] head_q, tail_q;
  logic [31:0] dice_q, packets_q;
  logic [16:0] rest_q;
  logic program_q, inside_q, takes, taken, given, offered_q;

  assign takes      = rest_q == '0 && (program_q || dice_q[1:0] != '0);
  assign in_tready  = takes && head_q - tail_q != 7'(Depth);
  assign taken      = in_tvalid && in_tready;
  assign out_tvalid = offered_q;
  assign {out_tlast, out_tdata} = words[tail_q[5:0]];
  assign given      = out_tvalid && out_tready;

  always_ff @(posedge clk_i) begin : echo
    if (!engine_rst_n) begin
      head_q    <= '0;
      tail_q    <= '0;
      inside_q  <= 1'b0;
      offered_q <= 1'b0;
      packets_q <= '0;
      rest_q    <= '0;
      program_q <= 1'b0;
    end else begin
      if (rest_q != '0) rest_q <= rest_q - 1'b1;
      else if (dice_q[17:0] == '0 && !program_q) rest_q <= 17'd50000;
      if (taken) begin
        inside_q <= !in_tlast;
        program_q <= !in_tlast && (inside_q ? program_q : in_tdata == '1);
        if (inside_q ? !program_q : in_tdata != '1) head_q <= head_q + 1'b1;
        packets_q <= packets_q + 32'(in_tlast);
      end
      offered_q <= (offered_q && !given) || (head_q != tail_q && !given && dice_q[2]);
      if (given) tail_q <= tail_q + 1'b1;
    end
    if (taken) words[head_q[5:0]] <= {in_tlast, in_tdata};
    // one generator for all that is random
    if (!rst_ni) dice_q <= 32'd1;
    else dice_q <= (dice_q << 1) ^ (dice_q[31] ? 32'h04C1_1DB7 : 32'd0);
    status_data <= status_address == 3'd5 ? packets_q : 32'hE0 + 32'(status_address);
  end

endmodule

`default_nettype wire
