"""What is wrong in a transaction, with the codes of AK403, AK502 and their like; totals that contradict the lines."""
