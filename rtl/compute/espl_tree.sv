// espl_tree: sums Inputs vectors of Count numbers, four at a time, registered.
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
    // odd levels of two are taken at the leaves, so that the stages are few
    localparam int unsigned Ways = (Inputs == 2 || Inputs == 8) ? 2 : 4;
    localparam int unsigned Nodes = Inputs / Ways;
    logic [Nodes*Vector-1:0] partial_q;
    for (genvar n = 0; n < Nodes; n++) begin : gen_sum
      for (genvar c = 0; c < Count; c++) begin : gen_number
        logic [AccBits-1:0] total;
        always_comb begin
          total = '0;
          for (int unsigned w = 0; w < Ways; w++)
            total = total + terms_i[(n*Ways+w)*Vector + c*AccBits +: AccBits];
        end
        always_ff @(posedge clk_i) partial_q[n*Vector + c*AccBits +: AccBits] <= total;
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
