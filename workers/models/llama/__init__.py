"""Language models of the Llama family: Llama, SmolLM, Qwen 2 and 3, from GGUF or safetensors."""
