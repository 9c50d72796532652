//! The cases are in `cases/`: by theme, what passes and what fails, with the text that the compiler prints.
