//! Task graphs run by a work-stealing pool inside a memory budget.
