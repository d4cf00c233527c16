"""A translation model from nothing: corpus, tokenizer, model, pre-training, fine-tuning."""
