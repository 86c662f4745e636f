"""The steerable convolution: a plain `conv3d` whose kernel is made of steerable elements."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intertwiner_steerable3d.bases.lattice import Step
from intertwiner_steerable3d.bases.settings import BasisSettings
from intertwiner_steerable3d.errors import BasisWarning, InvalidInput, InvalidSetting
from intertwiner_steerable3d.kernels.expansion import expand_kernel
from intertwiner_steerable3d.kernels.plan import Plan, make_plan
from intertwiner_steerable3d.layers.field_type import (
    FieldType,
    check_type,
    check_volume,
    count_channels,
)
from intertwiner_steerable3d.layers.fourier import FourierConv3d
from intertwiner_steerable3d.layers.kernel_cache import KernelCache
from intertwiner_steerable3d.layers.normalization import FieldBatchNorm

__all__ = ["SteerableConv3d"]


class SteerableConv3d(nn.Module):
    """Fields to fields, commuting with translations and, up to the lattice, with rotations.

        y(p) = sum_d K(d) x(p + d),   K_(u,i),(v,j)(d) = sum_b w[u, v, b] K_b[i, j](d)

    (Weiler et al. 2018, arXiv:1807.02547, equation 7). With a `norm` the input is first normalised
    field by field, which is folded into the kernel and a bias. Weights start as N(0, 1) and carry
    factors that give unit variance to unit white input.

    fields_in, fields_out: field types (m_0, m_1, ...). gates: further scalars at the output's end.
    size: voxels along an edge of the kernel. padding: of zeros; None keeps an odd kernel's grid.
    step: edges of a voxel along x, y and z. norm: of the input; its statistics live here.
    pad_after_norm: zeros are padded to the normalised field, and not, as in the paper, to the field
    itself (where a padded voxel then counts as -mean/deviation). bias: a learned one for scalars
    and gates. strict: an output that no kernel reaches is an error and not a warning.

    In evaluation without gradients of the weights, the expanded kernel is kept; the `state_dict` is
    the same always. Raises `InvalidSetting`, and `InvalidInput` or `WrongType` for volumes.
    """

    def __init__(
        self,
        fields_in: FieldType,
        fields_out: FieldType,
        size: int,
        *,
        gates: int = 0,
        stride: int = 1,
        padding: int | None = None,
        basis: BasisSettings | None = None,
        step: Step = (1.0, 1.0, 1.0),
        norm: FieldBatchNorm | None = None,
        pad_after_norm: bool = False,
        bias: bool = False,
        strict: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.fields_in, self.fields_out, self.gates = (
            check_type(fields_in),
            check_type(fields_out),
            gates,
        )
        basis = basis or BasisSettings()
        self.size, self.stride = size, stride
        self.padding = _same_padding(size) if padding is None else padding
        self.plan = make_plan(self.fields_in, self.fields_out, gates, size, basis, step)
        _check_reached(self.plan, self.fields_out, strict)
        if norm is not None and norm.fields != self.fields_in:
            raise InvalidSetting(f"norm of fields {norm.fields}, input of fields {self.fields_in}")
        self.norm, self.pad_after_norm = norm, pad_after_norm
        self.weight = nn.Parameter(torch.randn(self.plan.weights, generator=generator))
        self.bias = nn.Parameter(torch.zeros(self.fields_out[0] + gates)) if bias else None
        self.cache = KernelCache()

    def forward(self, x: Float[Tensor, "batch c x y z"]) -> Float[Tensor, "batch d x2 y2 z2"]:
        """The output's channels, then those of the gates."""
        self._check(x)
        if self._is_frozen():
            kernel, bias = self.cache.get(self._sources(), self._running_kernel)
            if self.norm is not None and self.pad_after_norm:
                x = self.norm.centred(x, self.norm.mean)
        elif self.norm is None:
            kernel, bias = self._kernel(None, None)
        else:
            mean, scale = self.norm.mean_and_scale(x)
            x = self.norm.centred(x, mean) if self.pad_after_norm else x
            kernel, bias = self._kernel(None if self.pad_after_norm else mean, scale)
        return self._convolve(x, kernel, bias)

    def _convolve(self, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        return nn.functional.conv3d(x, kernel, bias, self.stride, self.padding)

    def _running_kernel(self) -> tuple[Tensor, Tensor | None]:
        """Kernel and bias of evaluation."""
        if self.norm is None:
            return self._kernel(None, None)
        scale = (self.norm.power + self.norm.epsilon).rsqrt()
        return self._kernel(None if self.pad_after_norm else self.norm.mean, scale)

    def _kernel(self, mean: Tensor | None, scale: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The kernel, and the bias of all rows or None, in the dtype of the weights."""
        weight = self.weight * self.plan.scales(self.weight)
        if scale is not None:
            weight = weight * scale[self.plan.input_fields(weight)]
        with torch.autocast(weight.device.type, enabled=False):
            return expand_kernel(weight, self.plan), self._bias(weight, mean)

    def _bias(self, weight: Tensor, mean: Tensor | None) -> Tensor | None:
        bias = None
        if self.bias is not None:
            scalars, gates = self.bias.split([self.fields_out[0], self.gates])
            between = self.bias.new_zeros(self.plan.rows - len(self.bias))
            bias = torch.cat([scalars, between, gates])
        if mean is None:
            return bias
        leaked = weight.new_zeros(self.plan.rows)
        for block in self.plan.leaking():
            parts = weight[block.weights].view(*block.copies, -1)
            rows = torch.arange(block.rows, block.rows + block.height, device=weight.device)
            leak = torch.einsum("v,uvb,bi->ui", mean, parts, self.plan.sums(block, weight))
            leaked = leaked.index_add(0, rows, leak.flatten())
        return -leaked if bias is None else bias - leaked

    def _sources(self) -> list[Tensor]:
        """What an expanded kernel depends on."""
        found = self._learned()
        return found + ([] if self.norm is None else [self.norm.mean, self.norm.power])

    def _learned(self) -> list[Tensor]:
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    def _is_frozen(self) -> bool:
        """Whether the kernel of the running averages serves, without a gradient of its own."""
        if self.training or (self.norm is not None and self.norm.collecting):
            return False
        return not (torch.is_grad_enabled() and any(one.requires_grad for one in self._learned()))

    def _check(self, x: Tensor) -> None:
        what = f"a convolution of fields {self.fields_in}"
        check_volume(x, count_channels(self.fields_in), what)
        if min(x.shape[2:]) + 2 * self.padding < self.size:
            raise InvalidInput(
                f"volume of {list(x.shape[2:])} voxels with padding {self.padding} is smaller than "
                f"the kernel, {[self.size] * 3}: use a larger volume or padding"
            )

    def to_conv3d(self) -> nn.Module:
        """A plain `nn.Conv3d` of the same outputs, running averages of the norm folded in.

        With `pad_after_norm`, a `Sequential` that takes the means off first. Raises
        `InvalidSetting` for a layer with a norm in training mode.
        """
        if self.training and self.norm is not None:
            raise InvalidSetting("call eval() first: running statistics are exported")
        with torch.no_grad():
            kernel, bias = self._running_kernel()
            made = nn.Conv3d(
                self.plan.columns,
                self.plan.rows,
                self.size,
                self.stride,
                self.padding,
                bias=bias is not None,
                device=kernel.device,
                dtype=kernel.dtype,
            )
            made.weight.copy_(kernel)
            if bias is not None and made.bias is not None:
                made.bias.copy_(bias)
        if self.norm is None or not self.pad_after_norm:
            return made.train(self.training)
        return nn.Sequential(_Shift(self.norm.mean, self.plan.columns), made).eval()

    def to_fourier(self, *, tile: int | None = None) -> FourierConv3d:
        """The same outputs by Fourier transforms, for evaluation, running averages folded in.

        Faster from about 32 channels and kernels of 5^3 on; see `layers.fourier`. Raises
        `InvalidSetting` for a stride, for `pad_after_norm`, and for a norm in training mode.
        """
        if self.training and self.norm is not None:
            raise InvalidSetting("call eval() first: running statistics are exported")
        if self.stride != 1 or (self.norm is not None and self.pad_after_norm):
            raise InvalidSetting("by Fourier transforms: stride 1, and no pad_after_norm")
        with torch.no_grad():
            return FourierConv3d(*self._running_kernel(), self.padding, tile=tile)

    def train(self, mode: bool = True) -> SteerableConv3d:
        """As in any module; the kept kernel is forgotten."""
        self.cache.clear()
        return super().train(mode)

    def _apply(self, fn: Any, recurse: bool = True) -> SteerableConv3d:
        self.cache.clear()
        applied: SteerableConv3d = super()._apply(fn, recurse)
        return applied

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """The basis goes with the metadata: tensors are the weights' and the norm's alone."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination._metadata[prefix[:-1]]["basis"] = self._described()

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        """Refuses weights of another basis, where the metadata tells: `InvalidSetting`."""
        basis = local_metadata.get("basis", self._described())
        if basis != self._described():
            raise InvalidSetting(
                f"{prefix}weight is of a kernel {basis}, the layer of {self._described()}: "
                "build the layer with the basis that the weights were made with"
            )
        self.cache.clear()
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _described(self) -> str:
        size, basis, step = self.plan.lattice
        return f"{basis} of size {size}, step {':'.join(f'{edge:g}' for edge in step)}"

    def extra_repr(self) -> str:
        """For `print(model)`."""
        return f"{self.fields_in} -> {self.fields_out} + {self.gates} gates, {self._described()}"


class _Shift(nn.Module):
    """Takes a fixed mean off the first channels."""

    def __init__(self, mean: Tensor, channels: int) -> None:
        super().__init__()
        self.offset: Tensor
        padded = nn.functional.pad(mean, (0, channels - len(mean)))
        self.register_buffer("offset", padded[:, None, None, None].clone())

    def forward(self, x: Tensor) -> Tensor:
        return x - self.offset


def _same_padding(size: int) -> int:
    if size % 2 == 0:
        raise InvalidSetting(f"same padding needs an odd kernel size, not {size}; or give padding")
    return size // 2


def _check_reached(plan: Plan, output: FieldType, strict: bool) -> None:
    reached = {block.orders[0] for block in plan.blocks}
    missing = [order for order, count in enumerate(output) if count and order not in reached]
    if not missing:
        return
    text = (
        f"fields of order {missing} of {output} are always zero: no kernel of {plan.lattice[1]} "
        f"and size {plan.size} takes the input {plan.arguments[0]} there; enlarge kernel or tau"
    )
    if strict:
        raise InvalidSetting(text)
    warnings.warn(text, BasisWarning, stacklevel=3)
