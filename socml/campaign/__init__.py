"""The labels of a campaign → how far they can be trusted: agreement, what is left, families, suggestions.

campaign_report(labels, ranks)  →  CampaignReport, each figure with its interval and how many labels it rests on
"""

from socml.campaign.estimates import Estimate, agreement, malicious_among_open, share
from socml.campaign.report import CampaignReport, campaign_report

__all__ = ["CampaignReport", "Estimate", "agreement", "campaign_report", "malicious_among_open", "share"]
