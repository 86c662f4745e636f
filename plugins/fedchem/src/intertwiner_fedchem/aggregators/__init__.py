"""How clients' updates become one model: pure functions over named tensors."""
