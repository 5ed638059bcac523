//! Elements picked and placed by arrays of indices.
