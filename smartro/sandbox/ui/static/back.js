// Posts the result to the shop. Without scripts the button does the same.
document.getElementById("tranMgr").submit();
