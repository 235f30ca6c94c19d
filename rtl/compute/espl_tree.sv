// espl_tree: sums Inputs vectors of Count numbers, or lets one through, registered.
// SPDX-License-Identifier: Apache-2.0
//
// Computes   the sum of all vectors, or with pass_i the vector index_i.
// Latency    espl_pkg::tree_stages(Inputs) cycles: log2 Inputs, at least 1.
// Throughput 1.  Sums wrap at AccBits.
// Cost       Count * AccBits carry cells and as many registers per node.

`default_nettype none

module espl_tree #(
    parameter int unsigned Inputs = 16,  // power of two
    parameter int unsigned Count = 16,
    localparam int unsigned AccBits = espl_pkg::AccBits,
    localparam int unsigned Vector = AccBits * Count,
    localparam int unsigned IndexBits = espl_pkg::index_bits(Inputs)
) (
    input  wire logic                     clk_i,
    input  wire logic [Inputs*Vector-1:0] terms_i,
    input  wire logic                     pass_i,
    input  wire logic [IndexBits-1:0]     index_i,
    output      logic [Vector-1:0]        sum_o
);

  if (Inputs == 1) begin : gen_one
    always_ff @(posedge clk_i) sum_o <= terms_i;
    logic unused;
    assign unused = &{1'b0, pass_i, index_i};
  end else begin : gen_nodes
    localparam int unsigned Nodes = Inputs / 2;
    logic [Nodes*Vector-1:0] partial, partial_q;
    for (genvar n = 0; n < Nodes; n++) begin : gen_sum
      for (genvar c = 0; c < Count; c++) begin : gen_number
        espl_add_pass #(
            .Width(AccBits)
        ) u_add (
            .a_i(terms_i[2*n*Vector + c*AccBits +: AccBits]),
            .b_i(terms_i[(2*n+1)*Vector + c*AccBits +: AccBits]),
            .pass_i,
            .second_i(index_i[0]),
            .sum_o(partial[n*Vector + c*AccBits +: AccBits])
        );
      end
    end
    always_ff @(posedge clk_i) partial_q <= partial;

    if (Nodes == 1) begin : gen_root
      assign sum_o = partial_q;
    end else begin : gen_rest
      logic pass_q;
      logic [IndexBits-2:0] index_q;
      always_ff @(posedge clk_i) begin : follow
        pass_q  <= pass_i;
        index_q <= index_i[IndexBits-1:1];
      end
      espl_tree #(
          .Inputs(Nodes),
          .Count(Count)
      ) u_rest (
          .clk_i,
          .terms_i(partial_q),
          .pass_i(pass_q),
          .index_i(index_q),
          .sum_o
      );
    end
  end

endmodule

`default_nettype wire
