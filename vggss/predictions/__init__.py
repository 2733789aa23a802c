"""Predictions: one heat map, mask or set of boxes for each clip; the one thing that scoring reads."""

from vggss.predictions.files import load_predictions
from vggss.predictions.matching import Matched, match
from vggss.predictions.record import Prediction, Predictions
from vggss.predictions.writer import PredictionsWriter

__all__ = ["Matched", "Prediction", "Predictions", "PredictionsWriter", "load_predictions", "match"]
