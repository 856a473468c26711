import pytest
import torch

from gensr.estimator.errors import ConfigError
from gensr.estimator.network import (
    NetworkConfig,
    OneTokenAttention,
    TargetEstimator,
    count_parameters,
)


def _small(K: int = 3, L: int = 16) -> TargetEstimator:
    torch.manual_seed(0)
    net = TargetEstimator(K, L, NetworkConfig(hidden=8, depth=2, heads=2, dropout=0.0)).eval()
    for parameter in net.parameters():  # past the zero start of the modulations
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    return net


def test_the_paper_s_sizes_give_71_4_million_parameters() -> None:
    with torch.device("meta"):
        net = TargetEstimator(K=24, L=1024, config=NetworkConfig.paper())
    assert count_parameters(net) == 71_359_512


def test_one_token_attention_equals_full_multi_head_attention() -> None:
    torch.manual_seed(0)
    short, full = OneTokenAttention(32), torch.nn.MultiheadAttention(32, 4, batch_first=True)
    with torch.no_grad():  # whatever its queries and keys are
        full.in_proj_weight[64:].copy_(short.value.weight)
        full.in_proj_bias.normal_()[64:].copy_(short.value.bias)
        full.out_proj.weight.copy_(short.out.weight)
        full.out_proj.bias.copy_(short.out.bias)
    h = torch.randn(5, 32)
    token = h[:, None]  # (B, 1, H): one token each
    assert torch.allclose(short(h), full(token, token, token)[0][:, 0], atol=1e-6)


def test_queries_and_keys_are_counted_and_nowhere_else() -> None:
    net = _small()
    net(torch.randn(4, 16), torch.randn(4, 3, 16), torch.rand(4)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    there = sum(p.numel() for p in net.parameters())
    full = torch.nn.MultiheadAttention(8, 2)
    dead = sum(p.numel() for p in full.parameters()) // 2  # of query, key, value and output
    assert count_parameters(net) - there == 2 * dead


@pytest.mark.parametrize("K", [0, 3])
def test_conditioned_once_it_estimates_what_the_whole_does(K: int) -> None:
    net = _small(K)
    x, X_c, t = torch.randn(5, 16), torch.randn(5, K, 16), torch.tensor([0.4])
    whole = net(x, X_c, t.expand(5))
    assert torch.allclose(net.estimate(x, net.condition(X_c), t), whole, atol=1e-5)


def test_dropout_is_a_mask_that_is_given() -> None:
    config = NetworkConfig(hidden=8, depth=2, heads=2, dropout=0.25)
    net = TargetEstimator(3, 16, config)
    torch.manual_seed(0)
    kept = net.draw(4000)
    assert kept is not None
    assert kept.shape == (4000, 2 * 16 + 4 * 8)
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert kept.mean().item() == pytest.approx(1, abs=0.01)
    x, X_c, t = torch.randn(5, 16), torch.randn(5, 3, 16), torch.rand(5)
    assert torch.equal(net(x, X_c, t), net.eval()(x, X_c, t))  # none given, none dropped
    all_kept = torch.ones(5, kept.shape[1])
    assert torch.allclose(net(x, X_c, t, all_kept), net(x, X_c, t), atol=1e-6)
    none = net(x, X_c, t, torch.zeros_like(all_kept))
    assert torch.allclose(none, net.head(net.project.bias).expand(5, -1), atol=1e-6)
    assert TargetEstimator(3, 16, NetworkConfig(hidden=8, heads=2, dropout=0)).draw(4) is None


@pytest.mark.parametrize("K", [0, 3])
def test_a_row_does_not_depend_on_its_batch_mates(K: int) -> None:
    net = _small(K)
    x, X_c, t = torch.randn(6, 16), torch.randn(6, K, 16), torch.rand(6)
    together = net(x, X_c, t)
    alone = torch.cat([net(x[i : i + 1], X_c[i : i + 1], t[i : i + 1]) for i in range(6)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_every_input_reaches_the_output() -> None:
    net = _small()
    x, X_c, t = torch.randn(2, 16), torch.randn(2, 3, 16), torch.rand(2)
    base = net(x, X_c, t)
    changed = [net(x + 1, X_c, t), net(x, X_c + 1, t), net(x, X_c, t * 0.5)]
    assert all((other - base).abs().max() > 1e-3 for other in changed)


def test_without_conditioning_layers_x_c_is_one_learned_vector() -> None:
    net = _small(K=0)
    weight = net.fusion.get_parameter("weight")
    assert weight.shape == (16,)
    net(torch.randn(4, 16), torch.empty(4, 0, 16), torch.rand(4)).sum().backward()
    assert weight.grad is not None
    assert weight.grad.abs().max() > 0


def test_the_fused_condition_starts_as_the_mean_of_the_layers() -> None:
    net = TargetEstimator(3, 16, NetworkConfig(hidden=8, heads=2))
    X_c = torch.randn(2, 3, 16)
    assert torch.allclose(net.fusion(X_c), X_c.mean(1), atol=1e-6)


@pytest.mark.parametrize(
    "settings", [{"hidden": 9, "heads": 2}, {"depth": 0}, {"dropout": 1.0}, {"heads": 0}]
)
def test_sizes_that_cannot_be_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        NetworkConfig(**settings)


def test_an_encoder_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a multiple of 16 heads"):
        TargetEstimator(2, 81, NetworkConfig.paper())
