// espl_top: in an engine's place, gives back what it gets; a board's flow in seconds.
// SPDX-License-Identifier: Apache-2.0

`default_nettype none

module espl_top (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        in_tvalid_i,
    output      logic        in_tready_o,
    input  wire logic [63:0] in_tdata_i,
    input  wire logic        in_tlast_i,
    output      logic        out_tvalid_o,
    input  wire logic        out_tready_i,
    output      logic [63:0] out_tdata_o,
    output      logic        out_tlast_o,
    input  wire logic [ 2:0] status_address_i,
    output      logic [31:0] status_data_o
);

  assign in_tready_o = !out_tvalid_o || out_tready_i;

  always_ff @(posedge clk_i) begin
    status_data_o <= 32'(status_address_i);
    if (!rst_ni) out_tvalid_o <= 1'b0;
    else if (in_tready_o) out_tvalid_o <= in_tvalid_i;
    if (in_tready_o) {out_tdata_o, out_tlast_o} <= {in_tdata_i, in_tlast_i};
  end

endmodule

`default_nettype wire
