"""Residual vector quantisation: each codebook encodes the remaining error of those before it.

Letters: B rows, T steps, D latent width, Q codebooks, K entries of a codebook, N = B * T.
An entry is a moving average of the vectors nearest to it (van den Oord 2017, appendix A). An entry
that hardly any vector uses moves onto a vector of the present batch.
"""

from typing import Final

import torch
from torch import Tensor, nn

DECAY: Final = 0.97
DEAD_BELOW: Final = 0.15  # mean uses a step; an entry with fewer is moved


class ResidualVq(nn.Module):
    """Q codebooks of K entries over D-wide latents."""

    books: Tensor
    uses: Tensor
    sums: Tensor

    def __init__(self, latent: int, codebooks: int, size: int) -> None:
        super().__init__()
        self.codebooks = codebooks
        self.register_buffer("books", torch.zeros(codebooks, size, latent))
        self.register_buffer("uses", torch.ones(codebooks, size), persistent=False)
        self.register_buffer("sums", torch.zeros(codebooks, size, latent), persistent=False)

    def encode(self, latent: Tensor) -> Tensor:
        """Latents (..., D) -> codes (..., Q), int64."""
        left, codes = latent, []
        for book in self.books:
            chosen = self._nearest(left, book)
            codes.append(chosen)
            left = left - book[chosen]
        return torch.stack(codes, dim=-1)

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (..., q) of the first q <= Q codebooks -> latents (..., D)."""
        parts = [self.books[q][codes[..., q]] for q in range(codes.shape[-1])]
        return torch.stack(parts).sum(dim=0)

    @staticmethod
    def _nearest(x: Tensor, book: Tensor) -> Tensor:
        """(..., D) -> the index of the nearest entry (...)."""
        flat = x.reshape(-1, x.shape[-1])
        distance = torch.addmm(book.square().sum(-1), flat, book.T, alpha=-2)
        return distance.argmin(dim=-1).view(x.shape[:-1])

    def forward(self, latent: Tensor, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise for training, and move the codebooks.

        latent: (B, T, D) float32.
        depth: (B,), how many codebooks each row uses (quantiser dropout).
        -> latents (B, T, D), through which the gradient passes straight; codes (B, T, Q); the
        commitment loss, a scalar.
        """
        with torch.no_grad():
            codes = self.encode(latent.detach())
            parts = torch.stack([self.books[q][codes[..., q]] for q in range(self.codebooks)])
            order = torch.arange(self.codebooks)[:, None, None, None]
            total = (parts * (order < depth[None, :, None, None])).sum(dim=0)
            self._move(latent.detach().flatten(0, 1), codes.flatten(0, 1))
        commitment = (latent - total).square().mean()
        return latent + (total - latent).detach(), codes, commitment

    @torch.no_grad()
    def start(self, latent: Tensor) -> None:
        """Initialise the codebooks with random vectors of a first batch (N, D)."""
        left = latent
        for q in range(self.codebooks):
            size = self.books.shape[1]
            self.books[q] = left[torch.randint(len(left), (size,))]
            self.sums[q] = self.books[q]
            left = left - self.books[q][self._nearest(left, self.books[q])]
        self.uses.fill_(1.0)

    @torch.no_grad()
    def restart(self) -> None:
        """Rebuild the averages after a load: a weights folder stores only the codebooks."""
        self.sums.copy_(self.books)
        self.uses.fill_(1.0)

    @torch.no_grad()
    def _move(self, latent: Tensor, codes: Tensor) -> None:
        """Moving averages over one batch: latents (N, D), codes (N, Q)."""
        left, size = latent, self.books.shape[1]
        for q in range(self.codebooks):
            chosen = codes[:, q]
            count = torch.bincount(chosen, minlength=size).float()
            total = torch.zeros_like(self.sums[q]).index_add_(0, chosen, left)
            self.uses[q].mul_(DECAY).add_(count, alpha=1 - DECAY)
            self.sums[q].mul_(DECAY).add_(total, alpha=1 - DECAY)
            before = self.books[q][chosen]
            self.books[q] = self.sums[q] / self.uses[q].clamp(min=1e-4)[:, None]
            self._revive(q, left)
            left = left - before

    def _revive(self, q: int, left: Tensor) -> None:
        """Move the entries of codebook q that are hardly used onto random vectors of `left`."""
        dead = (self.uses[q] < DEAD_BELOW).nonzero().flatten()
        if not len(dead):
            return
        self.books[q][dead] = left[torch.randint(len(left), (len(dead),))]
        self.uses[q][dead] = 1.0
        self.sums[q][dead] = self.books[q][dead]
