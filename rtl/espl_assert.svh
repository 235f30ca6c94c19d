// Assertions: `ESPL_STATIC at elaboration, `ESPL_ASSERT at each clock edge.
// SPDX-License-Identifier: Apache-2.0
`ifndef ESPL_ASSERT_SVH
`define ESPL_ASSERT_SVH

// `ESPL_STATIC(label, condition): a relation between parameters, at elaboration.
`define ESPL_STATIC(label, condition)                                  \
  if (!(condition)) begin : label                                      \
    $error(`"label: condition does not hold`");                        \
  end

// `ESPL_ASSERT(label, condition): holds at each rising clock edge out of reset.
`ifdef FORMAL
`define ESPL_ASSERT(label, condition)                                  \
  always_ff @(posedge clk_i) if (rst_ni) label: assert (condition);
`elsif SYNTHESIS
`define ESPL_ASSERT(label, condition)
`else
`define ESPL_ASSERT(label, condition)                                  \
  always_ff @(posedge clk_i)                                           \
    if (rst_ni) label: assert (condition)                              \
    else $fatal(1, "%m: %s", `"condition`");
`endif

`endif
