"""How the two models were trained: data, packing, training, export. Nothing else imports it; PyTorch is here alone."""
