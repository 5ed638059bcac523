//! Operations that lay elements out anew.
