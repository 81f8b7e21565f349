"""Serving under load: the steady state of continuous batching, pools of prefill and decode, speculative decoding."""
