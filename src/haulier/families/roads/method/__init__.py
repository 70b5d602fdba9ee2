"""Road matching as pure science: polylines in, linear references and confidences out."""
