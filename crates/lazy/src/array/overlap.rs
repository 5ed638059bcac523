//! Functions of blocks with a margin, neighbourhoods, convolution.
