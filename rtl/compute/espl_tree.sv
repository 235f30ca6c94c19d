// espl_tree: sums Inputs vectors of Count numbers, two at a time, registered.
// SPDX-License-Identifier: Apache-2.0
//
// Latency    espl_pkg::tree_stages(Inputs) cycles (0 for one input).
// Throughput 1.  Sums wrap at AccBits.
// Cost       Count * AccBits carry cells per addition, registers per node.

`default_nettype none

module espl_tree #(
    parameter int unsigned Inputs = 16,  // power of two
    parameter int unsigned Count = 16,
    localparam int unsigned AccBits = espl_pkg::AccBits,
    localparam int unsigned Vector = AccBits * Count
) (
    input  wire logic                     clk_i,
    input  wire logic [Inputs*Vector-1:0] terms_i,
    output      logic [Vector-1:0]        sum_o
);

  if (Inputs == 1) begin : gen_leaf
    assign sum_o = terms_i;
    logic unused;
    assign unused = clk_i;
  end else begin : gen_node
    localparam int unsigned Nodes = Inputs / 2;
    logic [Nodes*Vector-1:0] partial_q;
    for (genvar n = 0; n < Nodes; n++) begin : gen_sum
      for (genvar c = 0; c < Count; c++) begin : gen_number
        always_ff @(posedge clk_i)
          partial_q[n*Vector + c*AccBits +: AccBits] <= terms_i[2*n*Vector + c*AccBits +: AccBits]
                                                      + terms_i[(2*n+1)*Vector + c*AccBits +: AccBits];
      end
    end
    espl_tree #(
        .Inputs(Nodes),
        .Count(Count)
    ) u_rest (
        .clk_i,
        .terms_i(partial_q),
        .sum_o
    );
  end

endmodule

`default_nettype wire
