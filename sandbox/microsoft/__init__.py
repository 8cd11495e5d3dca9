"""A stand-in for Microsoft Entra ID and Microsoft Graph, judged by Microsoft's own clients."""
