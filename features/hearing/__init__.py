"""Every file heard once: decoded in processes of their own, judged, remembered."""
