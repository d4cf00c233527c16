"""A translation model with no pretrained part: corpus, tokenizer, model, pre-training, fine-tuning."""
